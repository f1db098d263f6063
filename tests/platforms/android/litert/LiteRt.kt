package com.google.ai.edge.litert

import android.content.res.AssetManager
import com.sun.jna.Memory
import com.sun.jna.Native
import com.sun.jna.NativeLibrary
import com.sun.jna.NativeLong
import com.sun.jna.Pointer
import com.sun.jna.ptr.NativeLongByReference
import com.sun.jna.ptr.PointerByReference

// What the client uses of LiteRT's Kotlin API, 2.x, which is on Google's Maven only: the same names
// and signatures, over the C API of the same runtime's library for Linux.

public enum class Accelerator(internal val bit: Int) {
    NONE(0),
    CPU(1),
    GPU(2),
    NPU(4),
}

public class LiteRtException(private val code: Int, message: String) : Exception(message)

public class TensorBuffer internal constructor(private val handle: Pointer) : AutoCloseable {
    public fun writeFloat(data: FloatArray): Unit =
        locked(WRITE, data.size) { it.write(0, data, 0, data.size) }

    public fun writeInt(data: IntArray): Unit =
        locked(WRITE, data.size) { it.write(0, data, 0, data.size) }

    public fun readFloat(): FloatArray = locked(READ, null) { it.getFloatArray(0, count()) }

    override fun close(): Unit =
        library.getFunction("LiteRtDestroyTensorBuffer").invokeVoid(arrayOf(handle))

    internal val pointer
        get() = handle

    private fun count(): Int {
        val size = NativeLongByReference()
        check("LiteRtGetTensorBufferPackedSize", handle, size)
        return size.value.toInt() / 4
    }

    private fun <T> locked(mode: Int, size: Int?, act: (Pointer) -> T): T {
        if (size != null && size != count())
            throw LiteRtException(1, "$size numbers for ${count()}")
        val address = PointerByReference()
        check("LiteRtLockTensorBuffer", handle, address, mode)
        return act(address.value).also { check("LiteRtUnlockTensorBuffer", handle) }
    }
}

public class CompiledModel
private constructor(
    private val environment: Pointer,
    private val model: Pointer,
    private val handle: Pointer,
) : AutoCloseable {
    public class Options(internal val accelerators: Set<Accelerator>) {
        public constructor(vararg accelerators: Accelerator) : this(setOf(*accelerators))
    }

    private val signature = made { check("LiteRtGetModelSignature", model, NativeLong(0), it) }
    private val inputs = names("Input")
    private val outputs = names("Output")

    public fun createInputBuffer(inputName: String, signature: String = ""): TensorBuffer =
        buffer("Input", inputs.indexOf(inputName), signature)

    public fun createOutputBuffer(outputName: String, signature: String = ""): TensorBuffer =
        buffer("Output", outputs.indexOf(outputName), signature)

    public fun run(
        inputs: Map<String, TensorBuffer>,
        outputs: Map<String, TensorBuffer>,
        signature: String = "",
    ) {
        require(signature.isEmpty())
        val given = this.inputs.map { inputs.getValue(it).pointer }
        val taken = this.outputs.map { outputs.getValue(it).pointer }
        check(
            "LiteRtRunCompiledModel",
            handle,
            NativeLong(0),
            size(given),
            array(given),
            size(taken),
            array(taken),
        )
    }

    override fun close(): Unit {
        library.getFunction("LiteRtDestroyCompiledModel").invokeVoid(arrayOf(handle))
        library.getFunction("LiteRtDestroyModel").invokeVoid(arrayOf(model))
        library.getFunction("LiteRtDestroyEnvironment").invokeVoid(arrayOf(environment))
    }

    private fun names(kind: String): List<String> {
        val count = NativeLongByReference()
        check("LiteRtGetNumSignature${kind}s", signature, count)
        return List(count.value.toInt()) { index ->
            made {
                    check(
                        "LiteRtGetSignature${kind}Name",
                        signature,
                        NativeLong(index.toLong()),
                        it,
                    )
                }
                .getString(0, "UTF-8")
        }
    }

    private fun buffer(kind: String, index: Int, signature: String): TensorBuffer {
        if (index < 0 || signature.isNotEmpty()) throw LiteRtException(6, "no such tensor")
        val place = NativeLong(index.toLong())
        val needs = made {
            check(
                "LiteRtGetCompiledModel${kind}BufferRequirements",
                handle,
                NativeLong(0),
                place,
                it,
            )
        }
        val tensor = made {
            check("LiteRtGetSignature${kind}TensorByIndex", this.signature, place, it)
        }
        val type =
            Memory(RANKED_TENSOR_TYPE).also { check("LiteRtGetRankedTensorType", tensor, it) }
        return TensorBuffer(
            made {
                check(
                    "LiteRtCreateManagedTensorBufferFromRequirements",
                    environment,
                    type,
                    needs,
                    it,
                )
            }
        )
    }

    public companion object {
        public fun create(filePath: String, options: Options): CompiledModel {
            val environment = made { check("LiteRtCreateEnvironment", 0, null, it) }
            val model = made { check("LiteRtCreateModelFromFile", environment, filePath, it) }
            val chosen = made { check("LiteRtCreateOptions", it) }
            check(
                "LiteRtSetOptionsHardwareAccelerators",
                chosen,
                options.accelerators.sumOf { it.bit },
            )
            return CompiledModel(
                environment,
                model,
                made { check("LiteRtCreateCompiledModel", environment, model, chosen, it) },
            )
        }

        public fun create(
            assetManager: AssetManager,
            assetName: String,
            options: Options,
        ): CompiledModel =
            throw UnsupportedOperationException(
                "$assetManager has no $assetName here, nor $options"
            )
    }
}

private const val READ = 0
private const val WRITE = 1
private const val RANKED_TENSOR_TYPE = 72L

private val library by lazy { NativeLibrary.getInstance(System.getProperty("kspec.litert")) }

private fun check(name: String, vararg arguments: Any?) {
    val status = library.getFunction(name).invokeInt(arguments)
    if (status != 0) throw LiteRtException(status, "$name: $status")
}

private fun made(make: (PointerByReference) -> Unit): Pointer =
    PointerByReference().also(make).value

private fun size(pointers: List<Pointer>) = NativeLong(pointers.size.toLong())

private fun array(pointers: List<Pointer>) =
    Memory(pointers.size.toLong() * Native.POINTER_SIZE).also {
        it.write(0, pointers.toTypedArray(), 0, pointers.size)
    }

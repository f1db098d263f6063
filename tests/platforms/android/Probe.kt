package kspec.{package}

import java.io.File
import javax.imageio.ImageIO

// Prints what parts of the client make of what a test gives them.

object Probe {
    @JvmStatic
    fun main(arguments: Array<String>) {
        when (arguments[0]) {
            "pictures" -> pictures(File(arguments[1]))
            "verdicts" -> verdicts(readSafetensors(File(arguments[1]).readBytes()))
            "batches" -> batches()
            "files" -> alteredFiles(File(arguments[1])).forEach(::println)
        }
    }

    /** A picture turned by each orientation, and sampled in every way. */
    private fun pictures(file: File) {
        val image = ImageIO.read(file)
        val (width, height) = image.width to image.height
        val pixels = Pixels(width, height, image.getRGB(0, 0, width, height, null, 0, width))
        for (orientation in 1..8) {
            val turned = pixels.upright(orientation)
            println(
                "$orientation ${turned.width} ${turned.height} ${turned.colors.joinToString(" ")}"
            )
        }
        for (method in listOf(null, "nearest", "bilinear")) {
            val sizes =
                if (method == null) listOf(height to width) else listOf(5 to 11, 40 to 3, 1 to 1)
            for ((high, wide) in sizes) for (channels in 1..4) {
                val size = listOf(high, wide).takeIf { method == null }
                val steps =
                    listOfNotNull(
                        DecodeImage(channels, size?.get(0), size?.get(1), width * height),
                        method?.let { Resample(high, wide, it) },
                        ScalePixels(16.0),
                    )
                val values = Input("x", listOf(high, wide, channels), steps = steps).tensor(pixels)
                val bits = values.values.joinToString(" ") { it.toRawBits().toString() }
                println("$method $high $wide $channels $bits")
            }
        }
        println(refusal(pixels, DecodeImage(3, null, null, width * height - 1)))
        println(refusal(pixels, DecodeImage(3, height, width + 1, width * height)))
    }

    private fun refusal(pixels: Pixels, step: Step): String? =
        runCatching { step.apply(pixels.grid()) }.exceptionOrNull()?.message

    /** Of each case whether it is within the tolerance, and its flips. */
    private fun verdicts(tensors: Map<String, Tensor>) {
        for (name in
            tensors.keys
                .filter { it.startsWith("found/") }
                .map { it.removePrefix("found/") }
                .sorted()) {
            val found = tensors.getValue("found/$name") as Floats
            val exact = tensors.getValue("exact/$name") as Floats
            val meaning = Meaning.valueOf(name.substringBefore("-").uppercase())
            val threshold = if (meaning == Meaning.BINARY) 0.5 else null
            val output = Output(name, meaning, listOf("a", "b", "c"), threshold)
            val decisions = List(exact.rows) { checkNotNull(output.decide(exact.row(it))) }
            val verdict = Verdict(output, exact, decisions, Tolerance(1e-2, 1e-3))
            val rows = List(found.rows) { found.row(it) }
            println("$name ${verdict.errorRatio(rows) <= 1} ${verdict.flips(rows)}")
        }
    }

    /** Seven rows through a batch of three. */
    private fun batches() {
        val echo =
            object : Engine {
                override val label = ""
                override val isHalf = false

                override fun run(inputs: List<Tensor>): List<FloatArray> {
                    print("${inputs[0].rows} ")
                    return listOf((inputs[0] as Floats).values)
                }

                override fun close() = Unit
            }
        val signature =
            Signature(listOf(Input("x", listOf(2))), listOf(Output("y", Meaning.NUMBER)), 3)
        val rows = Floats(intArrayOf(7, 2), FloatArray(14) { it.toFloat() })
        println(
            Predictor(signature, echo).run(listOf(rows)).joinToString(" ") {
                it[0].joinToString(",")
            }
        )
    }
}

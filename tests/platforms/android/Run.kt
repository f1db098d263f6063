package kspec.{package}

import com.google.ai.edge.litert.Accelerator
import java.io.ByteArrayInputStream
import java.io.File
import javax.imageio.ImageIO
import kotlin.system.exitProcess

// The self-test of a bundle with LiteRT for Linux: all of the client but Android's own classes.
// The second argument names constants that a test has altered.

object Run {
    @JvmStatic
    fun main(arguments: Array<String>) {
        val subject = SUBJECTS.getValue(arguments.getOrElse(1) { "" })
        val report = SelfTest(subject, Desk(File(arguments[0], "src"), subject)).run()
        println(report.line)
        exitProcess(if (report.passed) 0 else 1)
    }
}

private val SUBJECTS = mapOf({subjects})

private class Desk(private val folder: File, private val subject: Subject) : Place {
    override val engine = "LiteRT ${System.getProperty("kspec.litert.version")}"
    override val device = "JVM ${System.getProperty("java.version")}, Linux"

    private val folders =
        listOf("main", "debug").map { File(folder, "$it/assets/kspec/{package}") }

    override val files = folders.flatMap { it.list().orEmpty().asList() }

    override fun read(file: String): ByteArray = find(file).readBytes()

    override fun decode(picture: ByteArray): Pixels {
        val image = ImageIO.read(ByteArrayInputStream(picture))
        val (width, height) = image.width to image.height
        return Pixels(width, height, image.getRGB(0, 0, width, height, null, 0, width))
    }

    override fun open(): Engine =
        LiteRtEngine.open(find(subject.seals.file).path, subject.signature, Accelerator.CPU)

    private fun find(file: String) = folders.map { File(it, file) }.first { it.exists() }
}

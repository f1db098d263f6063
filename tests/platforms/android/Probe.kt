package kspec.{package}

import java.io.File
import javax.imageio.ImageIO

// Prints what becomes of a picture: turned by each orientation, and sampled in every way.

object Probe {
    @JvmStatic
    fun main(arguments: Array<String>) {
        val image = ImageIO.read(File(arguments[0]))
        val (width, height) = image.width to image.height
        val pixels = Pixels(width, height, image.getRGB(0, 0, width, height, null, 0, width))
        for (orientation in 1..8) {
            val turned = pixels.upright(orientation)
            println("$orientation ${turned.width} ${turned.height} ${turned.colors.joinToString(" ")}")
        }
        for (resize in listOf(null, Resize.NEAREST, Resize.BILINEAR)) {
            val sizes = if (resize == null) listOf(height to width) else listOf(5 to 11, 40 to 3, 1 to 1)
            for ((high, wide) in sizes) for (channels in 1..4) {
                val values = pixels.sample(high, wide, channels, Picture(16.0, resize))
                val bits = values.joinToString(" ") { it.toRawBits().toString() }
                println("${resize?.name?.lowercase()} $high $wide $channels $bits")
            }
        }
    }
}

import java.nio.file.Path
import kspec.digits.DigitsModel
import kspec.digits.Picture

/** Prints the label of a picture, how many labels there are, and whether a batch answers the same. */
public fun main(arguments: Array<String>) {
    DigitsModel.load().use { model ->
        val picture = Path.of(arguments.single())
        val answer = model.predict(picture)
        println(answer.label())
        println(answer.probabilities.size == answer.labels.size)
        println(model.predict(listOf(Picture.of(picture))).single().label() == answer.label())
    }
}

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import kspec.digits.DigitsModel;

/** Prints the texts that the class of a model holds, as hexadecimal UTF-16. */
public final class Echo {
    public static void main(String[] arguments) {
        print(DigitsModel.INPUT.name());
        print(DigitsModel.OUTPUT.name());
        DigitsModel.OUTPUT.labels().forEach(Echo::print);
    }

    private static void print(String text) {
        System.out.println(HexFormat.of().formatHex(text.getBytes(StandardCharsets.UTF_16BE)));
    }
}

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import kspec.digits.ImageInput;
import kspec.digits.Picture;
import kspec.digits.Sampling;

/** Writes what pictures become: each line of the file says which, for what input, and whereto. */
public final class Pictures {
    public static void main(String[] arguments) throws IOException {
        List<String> lines = Files.readAllLines(Path.of(arguments[0]));
        for (String line : lines) {
            String[] words = line.split("\t");
            ImageInput input = new ImageInput(
                    "x",
                    Integer.parseInt(words[1]),
                    Integer.parseInt(words[2]),
                    Integer.parseInt(words[3]),
                    Double.parseDouble(words[4]),
                    Sampling.valueOf(words[5]));
            Path file = Path.of(words[0]);
            try {
                Files.write(Path.of(words[6]), bytes(Picture.of(file).values(input)));
                if (arguments.length > 1) {
                    Files.write(
                            Path.of(words[6] + ".decoded"),
                            bytes(Picture.of(ImageIO.read(file.toFile())).values(input)));
                }
            } catch (IllegalArgumentException refused) {
                Files.writeString(Path.of(words[6] + ".refused"), refused.getMessage());
            }
        }
    }

    private static byte[] bytes(float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return bytes.array();
    }
}

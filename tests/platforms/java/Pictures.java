import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;
import kspec.digits.DecodeImage;
import kspec.digits.ImageInput;
import kspec.digits.Picture;
import kspec.digits.Resample;
import kspec.digits.ScalePixels;
import kspec.digits.Step;

/** Writes the values of pictures. A line of the file has a picture, its input, and a place. */
public final class Pictures {
    public static void main(String[] arguments) throws IOException {
        List<String> lines = Files.readAllLines(Path.of(arguments[0]));
        for (String line : lines) {
            String[] words = line.split("\t");
            int height = Integer.parseInt(words[1]);
            int width = Integer.parseInt(words[2]);
            int channels = Integer.parseInt(words[3]);
            boolean any = !words[5].equals("none");
            DecodeImage decode = new DecodeImage(
                    channels, any ? null : height, any ? null : width, Integer.parseInt(words[7]));
            List<Step> steps = new ArrayList<>();
            if (any) {
                steps.add(new Resample(height, width, words[5]));
            }
            steps.add(new ScalePixels(Double.parseDouble(words[4])));
            ImageInput input = new ImageInput("x", height, width, channels, decode, steps);
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

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;

/** Java's own client. Run with no variable but what wiretape sets. */
public class Chat {
    public static void main(String[] args) throws Exception {
        String body = "{\"model\": \"gpt-5\", \"messages\": [{\"role\": \"user\", \"content\": \"" + args[0] + "\"}]}";
        HttpRequest request = HttpRequest.newBuilder(URI.create("https://api.openai.com/v1/chat/completions"))
            .header("Content-Type", "application/json")
            .header("Authorization", "Bearer " + System.getenv("OPENAI_API_KEY"))
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build();
        String answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body();
        var found = Pattern.compile("\"content\": ?\"([^\"]*)\"").matcher(answer);
        if (!found.find()) throw new IllegalStateException(answer);
        Files.writeString(Path.of("answer.txt"), found.group(1));
    }
}

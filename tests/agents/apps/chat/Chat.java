// Java as it is: a chat, by java.net.http ("client") or by HttpURLConnection ("url").

import java.net.HttpURLConnection;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;

public class Chat {
    private static final URI TARGET = URI.create("https://api.openai.com/v1/chat/completions");
    private static final String KEY = "Bearer " + System.getenv("OPENAI_API_KEY");

    public static void main(String[] arguments) throws Exception {
        var way = arguments[0];
        var body =
            "{\"model\": \"gpt-4o-mini\", \"stream\": true, \"messages\": [{\"role\": \"user\","
                + " \"content\": \"Hello from Java's " + way + ".\"}]}";
        if (way.equals("client")) {
            client(body);
        } else {
            url(body);
        }
    }

    private static void client(String body) throws Exception {
        var request =
            HttpRequest.newBuilder(TARGET)
                .header("Authorization", KEY)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
        var response = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        told(response.statusCode(), response.body());
    }

    private static void url(String body) throws Exception {
        var connection = (HttpURLConnection) TARGET.toURL().openConnection();
        connection.setDoOutput(true);
        connection.setRequestProperty("Authorization", KEY);
        connection.setRequestProperty("Content-Type", "application/json");
        connection.getOutputStream().write(body.getBytes(StandardCharsets.UTF_8));
        var text = new String(connection.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        told(connection.getResponseCode(), text);
    }

    private static void told(int status, String text) {
        System.out.println(status + " " + text.lines().filter(each -> each.startsWith("data:")).count() + " events");
        System.exit(status == 200 ? 0 : 1);
    }
}

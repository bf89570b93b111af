<?php
// PHP: a chat, by the curl extension ("curl") or by its own streams ("streams").

const TARGET = "https://api.openai.com/v1/chat/completions";

$headers = ["Content-Type: application/json", "Authorization: Bearer " . getenv("OPENAI_API_KEY")];
$messages = [["role" => "user", "content" => "Hello from PHP's $argv[1]."]];
$body = json_encode(["model" => "gpt-4o-mini", "stream" => true, "messages" => $messages]);

if ($argv[1] === "curl") {
    $curl = curl_init(TARGET);
    curl_setopt_array($curl, [
        CURLOPT_POST => true,
        CURLOPT_POSTFIELDS => $body,
        CURLOPT_HTTPHEADER => $headers,
        CURLOPT_RETURNTRANSFER => true,
    ]);
    $text = curl_exec($curl);
    $status = curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
    $fault = curl_error($curl);
} else {
    $settings = [
        "method" => "POST",
        "header" => implode("\r\n", $headers),
        "content" => $body,
        "ignore_errors" => true,
    ];
    $text = file_get_contents(TARGET, false, stream_context_create(["http" => $settings]));
    $status = $text === false ? 0 : (int) explode(" ", $http_response_header[0])[1];
    $fault = "no answer";
}
if ($text === false) {
    echo "failed: $fault\n";
    exit(1);
}
echo $status, " ", substr_count($text, "data:"), " events\n";
exit($status === 200 ? 0 : 1);

<?php
// PHP's streams: they read no proxy, whatever the environment says.
$body = json_encode(["model" => "gpt-5", "messages" => [["role" => "user", "content" => $argv[1]]]]);
$headers = ["Content-Type: application/json", "Authorization: Bearer " . getenv("OPENAI_API_KEY")];
$context = stream_context_create(["http" => ["method" => "POST", "header" => $headers, "content" => $body]]);
$answer = file_get_contents("https://api.openai.com/v1/chat/completions", false, $context);
if ($answer === false) exit(1);
file_put_contents("answer.txt", json_decode($answer, true)["choices"][0]["message"]["content"]);

# Ruby's own client.
require "json"
require "net/http"

headers = { "Content-Type" => "application/json", "Authorization" => "Bearer #{ENV.fetch("OPENAI_API_KEY")}" }
body = { model: "gpt-5", messages: [{ role: "user", content: ARGV[0] }] }
answer = Net::HTTP.post(URI("https://api.openai.com/v1/chat/completions"), body.to_json, headers)
File.write("answer.txt", JSON.parse(answer.body)["choices"][0]["message"]["content"])

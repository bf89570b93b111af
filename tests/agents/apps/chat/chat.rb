# Ruby's net/http as it is: a chat, streamed.

require "json"
require "net/http"

target = URI("https://api.openai.com/v1/chat/completions")
headers = { "Authorization" => "Bearer #{ENV.fetch("OPENAI_API_KEY")}", "Content-Type" => "application/json" }
body = { model: "gpt-4o-mini", stream: true, messages: [{ role: "user", content: "Hello from Ruby." }] }

Net::HTTP.start(target.host, target.port, use_ssl: true) do |connection|
  request = Net::HTTP::Post.new(target, headers)
  request.body = body.to_json
  connection.request(request) do |response|
    text = +""
    response.read_body { |piece| text << piece }
    puts "#{response.code} #{text.scan("data:").size} events"
    exit 1 if response.code != "200"
  end
end

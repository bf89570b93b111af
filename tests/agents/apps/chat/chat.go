// Go's net/http as it is: a chat, streamed.
package main

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"strings"
)

const body = `{"model": "gpt-4o-mini", "stream": true, "messages": [{"role": "user", "content": "Hello from Go."}]}`

func main() {
	request, err := http.NewRequest("POST", "https://api.openai.com/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("OPENAI_API_KEY"))
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	defer response.Body.Close()
	events := 0
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "data:") {
			events++
		}
	}
	fmt.Println(response.StatusCode, events, "events")
	if response.StatusCode != 200 {
		os.Exit(1)
	}
}

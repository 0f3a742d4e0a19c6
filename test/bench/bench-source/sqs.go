package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// senders is the number of requests that are under way at most.
const senders = 64

var client = http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: senders}}

// sendToQueue sends the feed of the URL's query to the SQS queue of `queue`, and answers when SQS has all of it. A feed with a rate
// is an open loop of SendMessage; one without is sent in batches of ten, as fast as SQS takes them.
func sendToQueue(w http.ResponseWriter, r *http.Request) {
	f := feedOfQuery(r.URL.Query())
	queue := r.URL.Query().Get("queue")
	requests := make(chan func() error, f.count)
	var done sync.WaitGroup
	var failed error
	var lock sync.Mutex
	done.Add(senders)
	for range senders {
		go func() {
			defer done.Done()
			for request := range requests {
				if err := request(); err != nil {
					lock.Lock()
					failed = err
					lock.Unlock()
				}
			}
		}()
	}
	var batch []map[string]string
	f.run(r.Context(), func(sequence, due int64) error {
		body := string(f.text(sequence, due))
		if f.rate > 0 {
			requests <- func() error {
				return call("SendMessage", map[string]any{"QueueUrl": queue, "MessageBody": body})
			}
			return nil
		}
		batch = append(batch, map[string]string{"Id": strconv.Itoa(len(batch)), "MessageBody": body})
		if len(batch) == 10 || sequence == f.from+f.count-1 {
			entries := batch
			batch = nil
			requests <- func() error {
				return call("SendMessageBatch", map[string]any{"QueueUrl": queue, "Entries": entries})
			}
		}
		return nil
	})
	close(requests)
	done.Wait()
	if failed != nil {
		http.Error(w, failed.Error(), http.StatusBadGateway)
		return
	}
	fmt.Fprintf(w, "%d", time.Now().UnixNano())
}

// call sends one request of SQS's JSON protocol, with a signature that ElasticMQ does not read.
func call(action string, input any) error {
	body, err := json.Marshal(input)
	if err != nil {
		return err
	}
	request, err := http.NewRequest("POST", input.(map[string]any)["QueueUrl"].(string), bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("content-type", "application/x-amz-json-1.0")
	request.Header.Set("x-amz-target", "AmazonSQS."+action)
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != 200 {
		err = fmt.Errorf("%s: %s: %s", action, answer.Status, text)
	}
	return err
}

package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/gorilla/websocket"
)

var upgrader = websocket.Upgrader{}

// serveWebSocket sends the feed of the URL's query, a frame and a write for each message. `as=binary`: binary messages.
func serveWebSocket(w http.ResponseWriter, r *http.Request) {
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	ctx, gone := context.WithCancel(context.Background())
	go func() {
		defer gone()
		for {
			if _, _, err := conn.ReadMessage(); err != nil {
				return
			}
		}
	}()
	kind := websocket.TextMessage
	if r.URL.Query().Get("as") == "binary" {
		kind = websocket.BinaryMessage
	}
	f := feedOfQuery(r.URL.Query())
	send := func(sequence, due int64) error { return conn.WriteMessage(kind, f.text(sequence, due)) }
	if f.run(ctx, send) == nil {
		<-ctx.Done()
	}
}

// serveEvents sends the feed of the URL's query as Server-Sent Events, a write for each event.
func serveEvents(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("content-type", "text/event-stream")
	f := feedOfQuery(r.URL.Query())
	send := func(sequence, due int64) error {
		if _, err := fmt.Fprintf(w, "id: %d\ndata: %s\n\n", sequence, f.text(sequence, due)); err != nil {
			return err
		}
		w.(http.Flusher).Flush()
		return nil
	}
	if f.run(r.Context(), send) == nil {
		<-r.Context().Done()
	}
}

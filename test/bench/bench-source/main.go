// The source of the benchmarks: a gRPC server on grpc-go, a WebSocket server on gorilla/websocket, Server-Sent Events on
// net/http, and a sender to SQS. A request says what its stream sends (feed.go). Prints `grpc=<port> http=<port>` and ends
// with its standard input.
package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
)

var writeBuffer = flag.Int("write-buffer", 32<<10, "grpc-go's write buffer, in bytes; 0: each frame is a write of its own")

func listen() (net.Listener, int) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	return listener, listener.Addr().(*net.TCPAddr).Port
}

func main() {
	flag.Parse()
	go paceAll()
	forGrpc, grpcPort := listen()
	go serveGrpc(forGrpc, *writeBuffer)
	forHttp, httpPort := listen()
	http.HandleFunc("/feed", serveWebSocket)
	http.HandleFunc("/events", serveEvents)
	http.HandleFunc("/sqs", sendToQueue)
	go http.Serve(forHttp, nil)
	fmt.Printf("grpc=%d http=%d\n", grpcPort, httpPort)
	io.Copy(io.Discard, os.Stdin)
}

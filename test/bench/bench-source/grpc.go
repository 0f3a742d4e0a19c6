package main

import (
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
)

// bytesCodec passes messages on as they are.
type bytesCodec struct{}

func (bytesCodec) Name() string                  { return "proto" }
func (bytesCodec) Marshal(v any) ([]byte, error) { return v.([]byte), nil }
func (bytesCodec) Unmarshal(b []byte, v any) error {
	*v.(*[]byte) = append([]byte(nil), b...)
	return nil
}

var _ encoding.Codec = bytesCodec{}

// serveGrpc answers every method with the feed of a bench.Request. grpc-go sends a DATA frame for each message, and
// joins frames in one write while the buffer lasts.
func serveGrpc(listener net.Listener, writeBuffer int) {
	server := grpc.NewServer(
		grpc.ForceServerCodec(bytesCodec{}),
		grpc.WriteBufferSize(writeBuffer),
		grpc.UnknownServiceHandler(stream),
	)
	if err := server.Serve(listener); err != nil {
		panic(err)
	}
}

// stream stays open after its last message.
func stream(_ any, s grpc.ServerStream) error {
	var request []byte
	if err := s.RecvMsg(&request); err != nil {
		return err
	}
	f := feedOfRequest(request)
	if err := f.run(s.Context(), func(sequence, due int64) error { return s.SendMsg(f.event(sequence, due)) }); err != nil {
		return err
	}
	<-s.Context().Done()
	return s.Context().Err()
}

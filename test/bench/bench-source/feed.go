package main

import (
	"context"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

const messageBytes = 100

// A feed says what one stream sends.
type feed struct {
	// Messages, and their number a second; 0: as fast as the client takes them.
	count, rate int64
	// Silence after these, and the messages that follow it at the same rate.
	idle  time.Duration
	again int64
	// Sequence of the first message.
	from int64
	// Number of the stream, which is a part of its messages.
	stream int64
}

func feedOfQuery(query url.Values) feed {
	number := func(name string) int64 {
		value, _ := strconv.ParseInt(query.Get(name), 10, 64)
		return value
	}
	return newFeed([]int64{0, number("count"), number("rate"), number("from"), number("stream"), number("idleMs"), number("again")})
}

// feedOfRequest reads a bench.Request, whose fields are all varints.
func feedOfRequest(request []byte) feed {
	fields := make([]int64, 7)
	for len(request) > 0 {
		number, _, n := protowire.ConsumeTag(request)
		value, m := protowire.ConsumeVarint(request[max(n, 0):])
		if n < 0 || m < 0 || int(number) >= len(fields) {
			panic("no bench.Request")
		}
		fields[number] = int64(value)
		request = request[n+m:]
	}
	return newFeed(fields)
}

// newFeed takes the fields of bench.Request by their numbers.
func newFeed(fields []int64) feed {
	return feed{
		count:  fields[1],
		rate:   fields[2],
		from:   max(fields[3], 1),
		stream: fields[4],
		idle:   time.Duration(fields[5]) * time.Millisecond,
		again:  fields[6],
	}
}

// at is the time in ns since the epoch at which message n (from 0) of a feed that began at start is due. The streams of
// one rate are spread evenly over its interval. At low rates the messages of a stream come up to 1 ms late, evenly
// spread, so that the whole ms of the broker's time stamps average out.
func (f feed) at(start, n int64) int64 {
	every := 1_000_000_000 / f.rate
	due := start + n*every + part(f.stream, every)
	if every > 1_000_000 {
		due += part(n, 1_000_000)
	}
	if n >= f.count {
		due += int64(f.idle)
	}
	return due
}

// part is an evenly spread part of a whole, another one for each n.
func part(n, whole int64) int64 {
	_, fraction := math.Modf(float64(n) * math.Phi)
	return int64(fraction * float64(whole))
}

// run calls send for each message with its sequence and the time at which it was due, also if that is over: an open
// loop. It returns when all are sent, or when the client has gone.
func (f feed) run(ctx context.Context, send func(sequence, due int64) error) error {
	total := f.count + f.again
	if f.rate == 0 {
		for n := int64(0); n < total; n++ {
			if err := send(f.from+n, time.Now().UnixNano()); err != nil {
				return err
			}
		}
		return nil
	}
	start := time.Now().UnixNano() + 20_000_000
	if f.rate >= 1000 {
		return f.runAlone(start, total, send)
	}
	paced := pace(f, start, total)
	defer paced.stop()
	for sent := int64(0); sent < total; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-paced.ready:
		}
		for due := paced.due.Load(); sent < due; sent++ {
			if err := send(f.from+sent, f.at(start, sent)); err != nil {
				return err
			}
		}
	}
	return nil
}

// event is a bench.Event of 100 bytes.
func (f feed) event(sequence, due int64) []byte {
	message := make([]byte, 0, messageBytes+8)
	message = protowire.AppendTag(message, 1, protowire.BytesType)
	message = protowire.AppendString(message, fmt.Sprintf("evt-%010d", sequence))
	message = protowire.AppendTag(message, 2, protowire.VarintType)
	message = protowire.AppendVarint(message, uint64(due))
	message = protowire.AppendTag(message, 3, protowire.BytesType)
	message = protowire.AppendString(message, f.name(sequence))
	message = protowire.AppendTag(message, 4, protowire.BytesType)
	tail := 1 + 1 + protowire.SizeVarint(uint64(sequence))
	message = protowire.AppendBytes(message, padding[:messageBytes-len(message)-tail])
	message = protowire.AppendTag(message, 5, protowire.VarintType)
	return protowire.AppendVarint(message, uint64(sequence))
}

// text is an object of 100 bytes.
func (f feed) text(sequence, due int64) []byte {
	message := fmt.Appendf(make([]byte, 0, messageBytes), `{"id":"evt-%010d","dueNs":"%d","symbol":"%s","sequence":%d`, sequence, due, f.name(sequence), sequence)
	message = append(message, padding[:messageBytes-1-len(message)]...)
	return append(message, '}')
}

// name tells the streams apart. The messages of stream 0 have eight symbols.
func (f feed) name(sequence int64) string {
	if f.stream == 0 {
		return symbols[sequence%8]
	}
	return fmt.Sprintf("feed-%04d", f.stream)
}

var (
	padding = []byte(fmt.Sprintf("%*s", messageBytes, ""))
	symbols = []string{"feed-BTC1", "feed-ETH1", "feed-SOL1", "feed-XRP1", "feed-ADA1", "feed-LTC1", "feed-DOT1", "feed-UNI1"}
)

package main

import (
	"container/heap"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// A paced feed learns from one thread, which sleeps in the kernel, how many of its messages are due. Go's own timers
// are late by up to 1 ms.
type paced struct {
	feed
	start, total int64
	// Messages that are due, and a signal that they are more than before.
	due   atomic.Int64
	ready chan struct{}
	next  int64
	ended bool
}

type byNext []*paced

func (h byNext) Len() int           { return len(h) }
func (h byNext) Less(i, j int) bool { return h[i].next < h[j].next }
func (h byNext) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *byNext) Push(x any)        { *h = append(*h, x.(*paced)) }
func (h *byNext) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

var (
	lock  sync.Mutex
	some  = sync.NewCond(&lock)
	feeds byNext
)

const (
	setTimerSlack = 29
	// The longest sleep, so that a new feed does not wait for another one's message.
	napNs = 1_000_000
	// Longer sleeps are Go's, so that they hold nothing else up.
	longNs = 3_000_000
)

func pace(f feed, start, total int64) *paced {
	p := &paced{feed: f, start: start, total: total, ready: make(chan struct{}, 1), next: f.at(start, 0)}
	lock.Lock()
	defer lock.Unlock()
	heap.Push(&feeds, p)
	some.Signal()
	return p
}

func (p *paced) stop() {
	lock.Lock()
	defer lock.Unlock()
	p.ended = true
}

// runAlone paces a fast feed on a thread of its own, which takes less of the machine than a signal for each message.
func (f feed) runAlone(start, total int64, send func(sequence, due int64) error) error {
	takeThread()
	for n := int64(0); n < total; n++ {
		due := f.at(start, n)
		if wait := due - time.Now().UnixNano(); wait > longNs {
			time.Sleep(time.Duration(wait - longNs))
		}
		nap(due - time.Now().UnixNano())
		if err := send(f.from+n, due); err != nil {
			return err
		}
	}
	return nil
}

// takeThread gives the goroutine a thread whose sleeps end within microseconds, instead of Linux' 50 µs.
func takeThread() {
	runtime.LockOSThread()
	syscall.RawSyscall(syscall.SYS_PRCTL, setTimerSlack, 1, 0)
}

// nap sleeps for some ns. Go's scheduler does not know, so that no other goroutine has to give way afterwards.
func nap(ns int64) {
	if ns > 0 {
		time := syscall.NsecToTimespec(ns)
		syscall.RawSyscall(syscall.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&time)), 0, 0)
	}
}

// paceAll is the thread.
func paceAll() {
	takeThread()
	for {
		lock.Lock()
		for len(feeds) == 0 {
			some.Wait()
		}
		now := time.Now().UnixNano()
		for len(feeds) > 0 && feeds[0].next <= now {
			feeds[0].tell(now)
			if feeds[0].ended || feeds[0].due.Load() == feeds[0].total {
				heap.Pop(&feeds)
			} else {
				heap.Fix(&feeds, 0)
			}
		}
		sleep := int64(napNs)
		if len(feeds) > 0 {
			sleep = min(sleep, feeds[0].next-now)
		}
		lock.Unlock()
		nap(sleep)
	}
}

func (p *paced) tell(now int64) {
	due := p.due.Load()
	for due < p.total && p.next <= now {
		due++
		p.next = p.at(p.start, due)
	}
	p.due.Store(due)
	select {
	case p.ready <- struct{}{}:
	default:
	}
}

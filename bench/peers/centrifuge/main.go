// The Go library centrifuge as a peer of bench/fanout.ts: one channel with history and recovery, published to from a
// control connection that sends one JSON object a line. Says its ports as one line of JSON.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/centrifugal/centrifuge"
)

const channel = "room"

func main() {
	node, err := centrifuge.New(centrifuge.Config{LogLevel: centrifuge.LogLevelNone})
	if err != nil {
		log.Fatal(err)
	}
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{UserID: "bench"}}, nil
	})
	node.OnConnect(func(client *centrifuge.Client) {
		client.OnSubscribe(func(_ centrifuge.SubscribeEvent, callback centrifuge.SubscribeCallback) {
			callback(centrifuge.SubscribeReply{Options: centrifuge.SubscribeOptions{EnableRecovery: true}}, nil)
		})
	})
	if err := node.Run(); err != nil {
		log.Fatal(err)
	}
	web, control := listen(), listen()
	go publish(node, control)
	mux := http.NewServeMux()
	// Its ping is a line that may come in one frame with messages, which the load does not look for.
	silent := centrifuge.WebsocketConfig{PingPongConfig: centrifuge.PingPongConfig{PingInterval: -1}}
	mux.Handle("/connection/websocket", centrifuge.NewWebsocketHandler(node, silent))
	fmt.Printf("{\"port\":%d,\"controlPort\":%d}\n", port(web), port(control))
	log.Fatal(http.Serve(web, mux))
}

type message struct {
	N    int    `json:"n"`
	Text string `json:"text"`
}

// Parsed and encoded anew, as every server here does it.
func publish(node *centrifuge.Node, control net.Listener) {
	connection, err := control.Accept()
	if err != nil {
		log.Fatal(err)
	}
	lines := bufio.NewScanner(connection)
	for lines.Scan() {
		var said message
		if err := json.Unmarshal(lines.Bytes(), &said); err != nil {
			log.Fatal(err)
		}
		data, _ := json.Marshal(said)
		if _, err := node.Publish(channel, data, centrifuge.WithHistory(100, time.Minute)); err != nil {
			log.Fatal(err)
		}
	}
}

func listen() net.Listener {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	return listener
}

func port(listener net.Listener) int { return listener.Addr().(*net.TCPAddr).Port }

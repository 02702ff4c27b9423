// Bot answers !ping in a channel: go run ./examples/bot -room kitchen
//
// It comes as a guest, or with -name and PARLEY_PASSWORD as that account. Stop the server and start it again: the bot
// comes back by itself, reads what was said meanwhile, and answers each ping once. examples/bot.sh is the same in shell.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"time"

	"parley/client"
)

func main() {
	server := flag.String("server", "http://127.0.0.1:8080", "where Parley is")
	room := flag.String("room", "lobby", "the channel to answer in")
	name := flag.String("name", "", "who to log in as; a guest where empty")
	flag.Parse()
	ctx := context.Background()
	bot := must(client.New(*server))
	login := func() (client.Session, error) { return bot.Guest(ctx, "") }
	if *name != "" {
		login = func() (client.Session, error) { return bot.Login(ctx, *name, os.Getenv("PARLEY_PASSWORD")) }
	}
	me := must(login()).User
	joined := must(bot.JoinRoomWithResponse(ctx, *room))
	must(joined, client.Check(joined.HTTPResponse, joined.Body))
	wanted := client.EventsOptions{Rooms: []string{*room}, Types: []client.EventType{client.EventTypeMessageCreated}}
	// Events connects again and goes on from where it was, whatever breaks: each message comes once, in order.
	for event, err := range bot.Events(ctx, wanted) {
		if must(event, err).Type == client.EventTypeReady {
			fmt.Println(me.Name, "listens at", *server)
		}
		data, _ := client.DataOf[client.MessageData](event)
		if m := data.Message; m.Text == "!ping" && m.Sender.ID != me.ID {
			answer(ctx, bot, m)
		}
	}
}

// answer tries until the server has said yes or no. With the nonce it takes one answer, however often it is sent.
func answer(ctx context.Context, bot *client.Client, m client.Message) {
	nonce := fmt.Sprint("pong-", m.ID)
	for {
		_, err := bot.Send(ctx, client.SendRequest{To: client.To(fmt.Sprint(m.RoomID)), Text: "pong", Nonce: &nonce})
		if e, no := errors.AsType[*client.Error](err); err == nil || no && e.Status < 500 && e.Status != 429 {
			return
		}
		time.Sleep(time.Second)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

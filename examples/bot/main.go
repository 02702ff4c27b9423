// Bot answers !ping in a channel: go run ./examples/bot -room kitchen
//
// It comes as a guest, or with -name and PARLEY_PASSWORD as that account. Stop the server and start it again: the bot
// comes back by itself, reads what was said meanwhile, and answers each ping once. examples/bot.sh is the same in shell.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"

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
	joined := must(bot.Join(ctx, *room))
	wanted := client.EventsOptions{Rooms: []string{*room}, Types: []client.EventType{client.EventTypeMessageCreated}}
	// Events connects again and goes on from where it was, whatever breaks: each message comes once, in order.
	for event, err := range bot.Events(ctx, wanted) {
		if must(event, err).Type == client.EventTypeReady {
			fmt.Println(me.Name, "listens at", *server)
		}
		data, _ := client.DataOf[client.MessageData](event)
		if m := data.Message; m.Text == "!ping" && m.Sender.ID != me.ID {
			// Deliver tries until the server has said yes or no. By the nonce it takes one answer, however often.
			pong := client.SendRequest{To: client.To(fmt.Sprint(joined.ID)), Text: "pong", Nonce: new(fmt.Sprint("pong-", m.ID)), ReplyTo: &m.ID}
			if _, err := bot.Deliver(ctx, pong); err != nil {
				log.Print(err)
			}
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

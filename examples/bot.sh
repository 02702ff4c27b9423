#!/usr/bin/env bash
# Answers !ping in a channel, with curl and jq: examples/bot.sh http://127.0.0.1:8080 kitchen
#
# It comes as a guest, or with PARLEY_NAME and PARLEY_PASSWORD as that account. Stop the server and start it again: the bot
# comes back, reads what was said meanwhile, and answers each ping once. examples/bot/main.go is the same in Go.
set -euo pipefail
server=${1:-http://127.0.0.1:8080}
room=$(jq -rn --arg room "${2:-lobby}" '$room | @uri')
jar=$(mktemp) # the session's cookie: a secret has no place in a command's arguments
trap 'rm -f "$jar"' EXIT
call() { curl -sS --fail-with-body -b "$jar" -c "$jar" "$@"; }

if [ -n "${PARLEY_NAME:-}" ]; then
  me=$(printf %s "$PARLEY_PASSWORD" | call --data-urlencode "name=$PARLEY_NAME" --data-urlencode password@- "$server/v1/login")
else
  me=$(call -X POST "$server/v1/guest")
fi
id=$(jq .user.id <<<"$me")
call -X POST "$server/v1/rooms/$room/join" >/dev/null

# A position in the log. What comes after it is read once, however often the stream breaks: it moves on when an
# event is done with.
cursor=$(call "$server/v1/rooms?limit=1" | jq .cursor)
echo "$(jq -r .user.name <<<"$me") listens at $server"
while true; do
  # Each line of the stream is an event. Of those with a position, jq gives that, and of a ping the message and its room.
  while read -r position ping to; do
    if [ -n "$ping" ]; then
      # Until the server has said yes or no. With the nonce it takes one answer, however often it is sent.
      curl -sS --retry 100000 --retry-delay 1 --retry-all-errors -b "$jar" \
        -d "to=$to" -d "reply_to=$ping" -d text=pong -d "nonce=pong-$ping" "$server/v1/send" </dev/null
    fi
    cursor=$position
  done < <(curl -sSN -b "$jar" "$server/v1/events/ndjson?after=$cursor&rooms=$room&types=message.created" |
    jq --unbuffered -r --argjson me "$id" '(.id // .data.cursor // empty) as $position | .data.message as $m |
      "\($position) \(if $m.text == "!ping" and $m.sender.id != $me then "\($m.id) \($m.room_id)" else "" end)"')
  sleep 1
  status=$(curl -s -o /dev/null -w '%{http_code}' -b "$jar" "$server/v1/me") || true
  [ "$status" != 401 ] || exit 1 # the session has ended
done

package gateway

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
)

// The types of packets.
const (
	registerMes    = "RegisterMes"
	registerResMes = "RegisterResMes"
	loginMes       = "LoginMes"
	loginResMes    = "LoginResMes"
	notifyMes      = "NotifyUserStatusMes"
	smsMes         = "SmsMes"
	errorMes       = "ErrorMes"
)

// frameOK and the others are the codes of answers.
const (
	frameOK            = 200
	frameRefused       = 400
	frameWrongPassword = 403
	frameTooOften      = 429
	frameUnknown       = 500 // the id is not registered
	frameFailed        = 503
)

// framePacket is what every packet is. Data is a JSON document of its own.
type framePacket struct {
	Type string `json:"type"`
	Data string `json:"data"`
}

// frameAccount is the document of RegisterMes and LoginMes.
type frameAccount struct {
	ID       int64  `json:"userId"`
	Password string `json:"userPwd"`
	Name     string `json:"userName"`
}

// frameResult is that of RegisterResMes and ErrorMes.
type frameResult struct {
	Code  int    `json:"code"`
	Error string `json:"error"`
}

// frameWelcome is that of LoginResMes.
type frameWelcome struct {
	Code  int     `json:"code"`
	Users []int64 `json:"UsersId"`
	Error string  `json:"error"`
}

// frameStatus is that of NotifyUserStatusMes: 0 is online and 1 offline.
type frameStatus struct {
	ID     int64 `json:"userId"`
	Status int   `json:"status"`
}

// frameMessage is that of SmsMes. Private is said of what is for this client alone, which clients that know nothing of it show
// like the rest.
type frameMessage struct {
	Content string `json:"content"`
	ID      int64  `json:"userId"`
	Name    string `json:"userName"`
	Private bool   `json:"private,omitempty"`
}

// packed is a packet as it goes out.
func packed(kind string, data any) ([]byte, error) {
	document, err := plainJSON(data)
	if err != nil {
		return nil, err
	}
	body, err := plainJSON(framePacket{kind, string(document)})
	if err != nil {
		return nil, err
	}
	p := make([]byte, frameHead, frameHead+len(body))
	binary.BigEndian.PutUint32(p, uint32(len(body)))
	return append(p, body...), nil
}

// plainJSON leaves <, > and & as they are: these clients are no browsers, and their buffers small.
func plainJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode a packet: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), nil
}

// accountIn reads the document of RegisterMes and LoginMes, plain or wrapped as {"user":{…}}.
func accountIn(data string) (frameAccount, error) {
	var document struct {
		ID       int64         `json:"userId"`
		Password string        `json:"userPwd"`
		Name     string        `json:"userName"`
		User     *frameAccount `json:"user"`
	}
	if err := json.Unmarshal([]byte(data), &document); err != nil {
		return frameAccount{}, frameFault("data", err)
	}
	if document.User != nil {
		return *document.User, nil
	}
	return frameAccount{document.ID, document.Password, document.Name}, nil
}

// contentIn reads that of SmsMes. Who it says it is from does not count.
func contentIn(data string) (string, error) {
	var document struct {
		Content string `json:"content"`
	}
	if err := json.Unmarshal([]byte(data), &document); err != nil {
		return "", frameFault("data", err)
	}
	return document.Content, nil
}

// frameFault says, for people, why a document was not read.
func frameFault(where string, err error) error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if wrong.Field != "" {
			where = wrong.Field
		}
		return fmt.Errorf("%s must not be a JSON %s", where, wrong.Value)
	}
	return fmt.Errorf("%s is no JSON: %w", where, err)
}

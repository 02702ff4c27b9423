package gateway

import "parley/models"

// lineWords are what the line protocol says itself.
type lineWords struct {
	online, offline, here            string // after [ADDR]NAME:
	renamed, taken, badName          string // renamed and badName go on
	nobody                           string // after the name
	form, kicked                     string
	noClient                         string // goes on with the address
	yourself, long, noGuests, banned string
	muted, stopping, failed          string
	refused                          string // goes on with the reason
}

var chinese = lineWords{
	online: "已上线", offline: "已下线", here: "在线...",
	renamed: "您已更改用户名为:", taken: "当前用户名已经被使用!", badName: "用户名不可用:",
	nobody: "用户不存在", form: `私聊消息格式不正确,请使用"to|张三|张三你好..."格式`, kicked: "你被踢了",
	noClient: "没有客户端从此地址连接:", yourself: "不能给自己发私聊消息", long: "消息太长,每行最多16384字节",
	noGuests: "服务器不接受访客", banned: "您已被禁止访问", muted: "您已被禁言",
	stopping: "服务器正在关闭", failed: "服务器出错,请稍后再试", refused: "消息未发送:",
}

var english = lineWords{
	online: "is online", offline: "is offline", here: "online...",
	renamed: "you are now called:", taken: "that name is taken!", badName: "that name cannot be:",
	nobody: ": there is no such user", form: `write private messages as "to|Ann|Hello Ann..."`, kicked: "you were kicked",
	noClient: "no client is connected from:", yourself: "a private message cannot go to yourself",
	long: "too long: a line has at most 16384 bytes", noGuests: "this server takes no guests", banned: "you are banned",
	muted: "you are muted", stopping: "the server is stopping", failed: "the server failed, try again later", refused: "not sent:",
}

// why says what refused something that was written.
func (w *lineWords) why(err error) string {
	switch code := models.CodeOf(err); code {
	case models.CodeInternal:
		return w.failed
	case models.CodeUnavailable:
		return w.failed
	case models.CodeMuted:
		return w.muted
	case models.CodeBanned:
		return w.banned
	default:
		return w.refused + detailOf(err)
	}
}

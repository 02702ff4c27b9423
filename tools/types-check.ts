// A consumer that compiles only while the spec gives TypeScript a real union: every variant
// of ChatEvent is told apart by its `type`, and none is forgotten.
import type { components, operations } from './.types/openapi';

type ChatEvent = components['schemas']['ChatEvent'];
type Message = components['schemas']['Message'];
type SendRequest = operations['send']['requestBody']['content']['application/json'];

export function describe(event: ChatEvent): string {
  switch (event.type) {
    case 'message.created':
    case 'message.updated':
      return `${event.id} ${text(event.data.message)}`;
    case 'message.deleted':
      return `${event.id} ${event.data.message_id} gone from ${event.room_id}`;
    case 'reaction.added':
    case 'reaction.removed':
      return `${event.data.user.name} ${event.data.emoji}`;
    case 'room.created':
    case 'room.updated':
      return event.data.room.name ?? event.data.room.members?.map((m) => m.name).join() ?? '';
    case 'room.deleted':
      return `${event.data.room_id}`;
    case 'member.joined':
    case 'member.left':
    case 'member.updated':
      return `${event.data.user.name} ${event.data.role} ${event.data.reason ?? ''}`;
    case 'user.updated':
      return event.data.user.display_name;
    case 'user.renamed':
      return `${event.data.old_name} ${event.data.user.name}`;
    case 'user.deleted':
      return `${event.data.user_id}`;
    case 'support.updated':
      return `${event.data.conversation.state} ${event.data.conversation.agent?.name ?? ''}`;
    case 'ready':
      return `${event.data.cursor} ${event.data.user.name} ${event.data.resumed}`;
    case 'heartbeat':
      return `${event.data.cursor}`;
    case 'reset':
      return `${event.data.oldest} ${event.data.cursor}`;
    case 'session.ended':
      return `${event.data.reason} ${event.data.detail ?? ''}`;
    case 'presence.changed':
      return event.data.users.map((u) => `${u.name} ${u.status}`).join();
    case 'typing':
      return `${event.room_id} ${event.data.user.name}`;
    case 'read.updated':
      return `${event.data.message_id}`;
    case 'support.position':
      return `${event.data.conversation_id} ${event.data.position}`;
    default:
      return unreachable(event);
  }
}

// `to` is a room's id as a number, or any reference as text.
export const byID: SendRequest = { to: 5, text: 'hi' };
export const byName: SendRequest = { to: '@ann', text: 'hi', nonce: '1' };

function text(message: Message): string {
  return `${message.sender.name}: ${message.text} ${message.edited_at ?? ''}`;
}

function unreachable(event: never): string {
  return JSON.stringify(event);
}

/** A Gmail method and the scopes of which its caller needs any one (the Gmail discovery document). */
export interface Method {
  /** As truth and faults name it. */
  name: string;
  /** As Google names it inside the scope refusal. */
  rpc: string;
  scopes: readonly string[];
  /** What a call costs of the quota (docs/google.md, D; what it does not list is from Google's older table). */
  units: number;
}

const GMAIL = 'https://www.googleapis.com/auth/gmail.';
const FULL = 'https://mail.google.com/';
const MODIFY = `${GMAIL}modify`;
const COMPOSE = `${GMAIL}compose`;
const READONLY = `${GMAIL}readonly`;
const LABELS = `${GMAIL}labels`;
const BASIC = `${GMAIL}settings.basic`;
const SHARING = `${GMAIL}settings.sharing`;

/** A token with this scope is refused `q`, full and raw, whatever else it holds. */
export const METADATA_SCOPE = `${GMAIL}metadata`;

const SEND = [FULL, COMPOSE, MODIFY, `${GMAIL}send`];
const WRITE_DRAFTS = [FULL, COMPOSE, MODIFY];
const READ_DRAFTS = [FULL, COMPOSE, MODIFY, READONLY];
const READ = [FULL, METADATA_SCOPE, MODIFY, READONLY];
const CHANGE = [FULL, MODIFY];
const READ_LABELS = [FULL, LABELS, METADATA_SCOPE, MODIFY, READONLY];
const WRITE_LABELS = [FULL, LABELS, MODIFY];
const READ_SETTINGS = [FULL, MODIFY, READONLY, BASIC];

function method(name: string, rpc: string, scopes: readonly string[], units: number): Method {
  return { name, rpc: `caribou.api.proto.MailboxService.${rpc}`, scopes, units };
}

/** Every method that this Local Google models. */
export const METHODS = {
  getProfile: method('getProfile', 'GetProfile', [FULL, COMPOSE, METADATA_SCOPE, MODIFY, READONLY], 1),
  watch: method('watch', 'Watch', READ, 100),
  stop: method('stop', 'Stop', READ, 50),
  listHistory: method('history.list', 'ListHistory', READ, 2),

  send: method('messages.send', 'SendMessage', SEND, 100),
  list: method('messages.list', 'ListMessages', READ, 5),
  get: method('messages.get', 'GetMessage', READ, 20),
  attachment: method('messages.attachments.get', 'GetAttachment', [FULL, MODIFY, READONLY], 20),
  modify: method('messages.modify', 'ModifyMessage', CHANGE, 5),
  batchModify: method('messages.batchModify', 'BatchModifyMessages', CHANGE, 50),
  trash: method('messages.trash', 'TrashMessage', CHANGE, 5),
  untrash: method('messages.untrash', 'UntrashMessage', CHANGE, 5),
  remove: method('messages.delete', 'DeleteMessage', [FULL], 10),

  createDraft: method('drafts.create', 'CreateDraft', WRITE_DRAFTS, 10),
  getDraft: method('drafts.get', 'GetDraft', READ_DRAFTS, 20),
  listDrafts: method('drafts.list', 'ListDrafts', READ_DRAFTS, 5),
  updateDraft: method('drafts.update', 'UpdateDraft', WRITE_DRAFTS, 15),
  sendDraft: method('drafts.send', 'SendDraft', WRITE_DRAFTS, 100),
  removeDraft: method('drafts.delete', 'DeleteDraft', WRITE_DRAFTS, 10),

  listThreads: method('threads.list', 'ListThreads', READ, 10),
  getThread: method('threads.get', 'GetThread', READ, 40),
  modifyThread: method('threads.modify', 'ModifyThread', CHANGE, 10),
  trashThread: method('threads.trash', 'TrashThread', CHANGE, 10),
  untrashThread: method('threads.untrash', 'UntrashThread', CHANGE, 10),

  listLabels: method('labels.list', 'ListLabels', READ_LABELS, 1),
  getLabel: method('labels.get', 'GetLabel', READ_LABELS, 1),
  createLabel: method('labels.create', 'CreateLabel', WRITE_LABELS, 5),
  updateLabel: method('labels.update', 'UpdateLabel', WRITE_LABELS, 5),
  removeLabel: method('labels.delete', 'DeleteLabel', WRITE_LABELS, 5),

  listSendAs: method('sendAs.list', 'ListSendAs', READ_SETTINGS, 1),
  getSendAs: method('sendAs.get', 'GetSendAs', READ_SETTINGS, 1),
  updateSendAs: method('sendAs.update', 'UpdateSendAs', [BASIC, SHARING], 100),
  createSendAs: method('sendAs.create', 'CreateSendAs', [SHARING], 100),
  removeSendAs: method('sendAs.delete', 'DeleteSendAs', [SHARING], 5),
  verifySendAs: method('sendAs.verify', 'VerifySendAs', [SHARING], 100),
} as const satisfies Record<string, Method>;

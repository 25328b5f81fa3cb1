//! The words with which Slack refuses, and what to do about them.

/// What a word says about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Too much at once.
    Limited,
    /// Slack is out of order and took nothing.
    Busy,
    /// Slack is out of order and may have taken it.
    Open,
    /// The message that is named is no more, or takes no replies or changes any more.
    Gone,
    /// No, with what to do.
    No(Option<&'static str>),
}

const INVITE: &str = "invite the bot to the channel: `/invite @NAME` in Slack";
const CHANNEL: &str = "check `channel`: the id stands at the end of the channel's details in Slack; a bot sees a private channel only after `/invite @NAME`";
const TOKEN: &str =
    "put a valid bot token (`xoxb-…`, \"OAuth & Permissions\" of the Slack app) into `tokenFile` or `tokenEnv`";
const WEBHOOK: &str =
    "make a new incoming webhook in the Slack app and put its address into `webhookFile` or `webhookEnv`";
const ARCHIVED: &str = "the channel is archived: unarchive it, or configure another";
const POLICY: &str = "the workspace's rules forbid it: ask its administrators to let the app post to this channel";
const DEFECT: &str = "the message is not as Slack wants it, which is a defect of Driftledger: report it with this text";
const SCOPE: &str = "add the scope to the Slack app (\"OAuth & Permissions\"), and install it to the workspace again";

/// What a word of Slack says. The words are those of `chat.postMessage`, `chat.update`, `conversations.*` and incoming webhooks.
pub(super) fn meaning(word: &str) -> Meaning {
    use Meaning::{Busy, Gone, Limited, No, Open};
    match word {
        "ratelimited" | "rate_limited" => Limited,
        "service_unavailable" | "request_timeout" | "team_added_to_org" | "message_limit_exceeded" => Busy,
        // Of both Slack says that "some aspect of the operation" may have succeeded.
        "internal_error" | "fatal_error" => Open,
        "message_not_found"
        | "cant_update_message"
        | "edit_window_closed"
        | "thread_not_found"
        | "cannot_reply_to_message"
        | "restricted_action_thread_locked"
        | "restricted_action_non_threadable_channel" => Gone,
        "not_in_channel" => No(Some(INVITE)),
        "channel_not_found" => No(Some(CHANNEL)),
        "is_archived" | "channel_is_archived" => No(Some(ARCHIVED)),
        "not_authed"
        | "invalid_auth"
        | "account_inactive"
        | "token_revoked"
        | "token_expired"
        | "org_login_required"
        | "team_access_not_granted"
        | "not_allowed_token_type" => No(Some(TOKEN)),
        "missing_scope" | "no_permission" => No(Some(SCOPE)),
        "restricted_action"
        | "restricted_action_read_only_channel"
        | "restricted_action_thread_only_channel"
        | "action_prohibited"
        | "posting_to_general_channel_denied"
        | "ekm_access_denied"
        | "access_denied"
        | "accesslimited" => No(Some(POLICY)),
        "no_service" | "no_service_id" | "no_team" | "team_disabled" | "invalid_token" | "no_active_hooks" => {
            No(Some(WEBHOOK))
        }
        "msg_too_long"
        | "msg_blocks_too_long"
        | "invalid_blocks"
        | "invalid_blocks_format"
        | "no_text"
        | "invalid_payload"
        | "invalid_json"
        | "json_not_object"
        | "invalid_arguments"
        | "invalid_metadata_format"
        | "invalid_metadata_schema"
        | "metadata_too_large"
        | "missing_text_or_fallback_or_attachments" => No(Some(DEFECT)),
        _ => No(None),
    }
}

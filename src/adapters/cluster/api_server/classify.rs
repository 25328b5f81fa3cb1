//! What failed underneath, in words that hold neither credentials nor content.

use std::error::Error;

use kube::client::AuthError;

use super::failure::Failure;
use super::guard::Refusal;

impl Failure {
    /// From an error of the client stack.
    pub(super) fn of_client(error: &(dyn Error + 'static)) -> Self {
        if let Some(refusal) = find::<Refusal>(error) {
            return Self::Refused(*refusal);
        }
        if let Some(auth) = find::<AuthError>(error) {
            return Self::Credentials(credentials(auth));
        }
        let reason = innermost(error).to_string();
        match find::<hyper_util::client::legacy::Error>(error) {
            Some(client) if client.is_connect() => Self::Connect(match reason.strip_prefix("tunnel error: ") {
                Some(why) => format!("the proxy of the kubeconfig: {why}"),
                None => reason,
            }),
            _ => Self::Broken(reason),
        }
    }
}

fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

/// The last cause of a chain: the others only say in which layer it happened.
fn innermost<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last
}

/// The failed step. The error's own text may hold what a credential plugin printed.
pub(super) fn credentials(error: &AuthError) -> String {
    match error {
        AuthError::InvalidBasicAuth(_) => "user name or password cannot be sent in a header".to_owned(),
        AuthError::InvalidBearerToken(_) => "the token cannot be sent in a header".to_owned(),
        AuthError::AuthExecStart(error) => format!("the credential plugin could not be started: {}", error.kind()),
        AuthError::AuthExecRun { out, .. } => format!("the credential plugin failed ({})", out.status),
        AuthError::AuthExecParse(_) | AuthError::ExecPluginFailed => {
            "the credential plugin printed no credentials".to_owned()
        }
        AuthError::MissingCommand => "the kubeconfig's credential plugin has no command".to_owned(),
        AuthError::ReadTokenFile(error, path) => {
            format!("the token file {} cannot be read: {}", path.display(), error.kind())
        }
        AuthError::MalformedTokenExpirationDate(_) => {
            "the credential plugin printed a malformed expiry date".to_owned()
        }
        _ => "the kubeconfig's user has a way to get credentials that failed or is not supported".to_owned(),
    }
}

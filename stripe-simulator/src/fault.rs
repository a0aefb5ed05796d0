//! Errors as Stripe says them.

use serde_json::{Value, json};

#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    pub status: u16,
    /// `invalid_request_error`, `card_error`, `idempotency_error`, `api_error`, `rate_limit_error`.
    pub kind: &'static str,
    pub code: Option<String>,
    /// Boxed so that a fault stays small enough to be handed around.
    pub decline_code: Option<Box<str>>,
    pub param: Option<String>,
    pub message: String,
    /// What a declined payment left behind.
    pub payment_intent: Option<Box<Value>>,
}

impl Fault {
    fn new(status: u16, kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            code: None,
            decline_code: None,
            param: None,
            message: message.into(),
            payment_intent: None,
        }
    }

    pub fn invalid(param: &str, message: &str) -> Self {
        Self { param: Some(param.to_owned()), ..Self::new(400, "invalid_request_error", message) }
    }

    /// A request that makes no sense as things stand, such as paying twice.
    pub fn state(code: &str, message: impl Into<String>) -> Self {
        Self { code: Some(code.to_owned()), ..Self::new(400, "invalid_request_error", message) }
    }

    pub fn missing(param: &str) -> Self {
        Self {
            param: Some(param.to_owned()),
            code: Some("parameter_missing".to_owned()),
            ..Self::new(400, "invalid_request_error", format!("Missing required param: {param}."))
        }
    }

    pub fn unknown_parameter(param: &str) -> Self {
        Self {
            param: Some(param.to_owned()),
            code: Some("parameter_unknown".to_owned()),
            ..Self::new(400, "invalid_request_error", format!("Received unknown parameter: {param}"))
        }
    }

    pub fn not_found(kind: &str, id: &str) -> Self {
        Self {
            param: Some("id".to_owned()),
            code: Some("resource_missing".to_owned()),
            ..Self::new(404, "invalid_request_error", format!("No such {kind}: '{id}'"))
        }
    }

    pub fn too_large() -> Self {
        Self::new(413, "invalid_request_error", "The request is larger than 256 kB.")
    }

    pub fn unknown_route(method: &str, path: &str) -> Self {
        Self::new(404, "invalid_request_error", format!("Unrecognized request URL ({method}: {path})."))
    }

    pub fn unauthorized() -> Self {
        Self::new(401, "invalid_request_error", "You did not provide an API key of a test mode.")
    }

    pub fn declined(code: &str, decline_code: &str, message: &str) -> Self {
        Self {
            code: Some(code.to_owned()),
            decline_code: Some(decline_code.into()),
            ..Self::new(402, "card_error", message)
        }
    }

    pub fn idempotency(message: &str) -> Self {
        Self::new(400, "idempotency_error", message)
    }

    pub fn conflict() -> Self {
        Self {
            code: Some("lock_timeout".to_owned()),
            ..Self::new(409, "idempotency_error", "Another request with this key is under way.")
        }
    }

    /// Weather: the request was carried out or not, and the answer is lost.
    pub fn broken() -> Self {
        Self::new(500, "api_error", "An unknown error occurred.")
    }

    pub fn body(&self) -> Value {
        let mut error = json!({ "type": self.kind, "message": self.message });
        let words = [
            ("code", self.code.as_deref()),
            ("decline_code", self.decline_code.as_deref()),
            ("param", self.param.as_deref()),
        ];
        for (name, value) in words {
            if let Some(value) = value {
                error[name] = json!(value);
            }
        }
        if let Some(intent) = &self.payment_intent {
            error["payment_intent"] = (**intent).clone();
        }
        json!({ "error": error })
    }
}

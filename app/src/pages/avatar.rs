//! The picture of a person who has given none: folded steel, drawn from their id. The same id has the same picture
//! for ever, so that it is kept for ever; whether there is such a person is not asked and cannot be seen.

use axum::{
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use devforge::{
    api::{error::ApiError, extract::Path},
    contract::id::UserId,
};

use crate::components::grain::{Tile, tile};

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

// A picture knows no tokens: the dark theme's surface, strong line and ember line, which stand on both grounds.
const GROUND: &str = "#14181c";
const COLD: &str = "#40454c";
const HOT: &str = "#eb6120";

/// `/avatars/{id}.svg`
pub async fn avatar(Path(file): Path<String>) -> Result<Response, ApiError> {
    let id = person(&file).ok_or_else(ApiError::not_found)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("image/svg+xml")),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
        // The editor and mails show it too.
        (RESOURCE_POLICY, HeaderValue::from_static("cross-origin")),
    ];
    Ok((headers, drawing(&id.to_string())).into_response())
}

/// Only the one spelling of an id: each picture has one address.
fn person(file: &str) -> Option<UserId> {
    file.strip_suffix(".svg")?.parse().ok()
}

/// The lines are coloured by attributes: the policy of this site allows a picture no styles of its own.
fn drawing(seed: &str) -> String {
    let lines =
        tile(seed, Tile::Small).replace("class=\"hot\"", &format!("stroke=\"{HOT}\" stroke-width=\"2\""));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"64\" height=\"64\" viewBox=\"0 0 64 64\" fill=\"none\" \
         stroke=\"{COLD}\" stroke-width=\"1.5\"><rect width=\"64\" height=\"64\" fill=\"{GROUND}\" stroke=\"none\"/>\
         {lines}</svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_keeps_their_picture_and_others_have_another() {
        let ada = drawing("usr_01jd2w8f6ze8ktsf2m9q5xj3ab");
        assert_eq!(ada, drawing("usr_01jd2w8f6ze8ktsf2m9q5xj3ab"));
        assert_ne!(ada, drawing("usr_01jd2w8f6ze8ktsf2m9q5xj3ac"));
        assert!(ada.contains(HOT) && !ada.contains("class="));
    }

    #[test]
    fn only_ids_of_people_have_one() {
        let ada = "usr_01jd2w8f6ze8ktsf2m9q5xj3ab";
        assert_eq!(person(&format!("{ada}.svg")).map(|id| id.to_string()), Some(ada.to_owned()));
        for file in
            [ada, "ses_01jd2w8f6ze8ktsf2m9q5xj3ab.svg", "USR_01JD2W8F6ZE8KTSF2M9Q5XJ3AB.svg", "x.svg", ".svg"]
        {
            assert_eq!(person(file), None, "{file}");
        }
    }
}

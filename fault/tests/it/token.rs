//! Tokens: made, written, read, and never shown.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use fault::token::{self, TokenError};
use fault::{Token, control::ControlConfig};

#[test]
fn a_token_is_random_and_redacted() {
    let (one, other) = (token::generate(), token::generate());
    assert_ne!(one.expose(), other.expose());
    assert_eq!(one.expose().len(), 64);
    let shown = format!("{one} {one:?} {:?}", ControlConfig::loopback(one.clone()));
    assert!(
        shown.contains("[token]") && !shown.contains(one.expose()),
        "{shown}"
    );
    assert!(one.is(one.expose().as_bytes()));
    assert!(
        !one.is(other.expose().as_bytes())
            && !one.is(b"")
            && !one.is(&one.expose().as_bytes()[1..])
    );
}

#[test]
fn weak_tokens_are_refused() {
    for weak in [
        "",
        "secret",
        "0123456789abcdef0123456789abcde",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "abababababababababababababababababababab",
        "with space 0123456789abcdefghijk",
        "tab\t0123456789abcdefghijklmn",
        "ümlaut-0123456789abcdefghijklmn",
    ] {
        assert!(
            matches!(Token::new(weak), Err(TokenError::Weak(_))),
            "{weak:?}"
        );
    }
    Token::new("0123456789abcdef0123456789abcdef").unwrap();
    Token::new("  Zk3-qP9_xV7mN2bL5tR8wY \n").unwrap();
}

#[test]
fn files_are_private() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/token");
    let token = token::generate();
    token::write_private(&path, &token).unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    assert_eq!(token::from_file(&path).unwrap().expose(), token.expose());

    for exposed in [0o640, 0o604, 0o660, 0o666, 0o601] {
        fs::set_permissions(&path, fs::Permissions::from_mode(exposed)).unwrap();
        let error = token::from_file(&path).unwrap_err();
        assert!(
            matches!(error, TokenError::Exposed { mode, .. } if mode == exposed),
            "{error}"
        );
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
}

/// Whoever puts a file or a link where the token is going to be must not get it.
#[test]
fn existing_files_are_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let trap = folder.path().join("trap");
    let path = folder.path().join("token");
    fs::write(&path, "old").unwrap();
    assert!(matches!(
        token::write_private(&path, &token::generate()),
        Err(TokenError::Write { .. })
    ));
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    fs::remove_file(&path).unwrap();
    symlink(&trap, &path).unwrap();
    assert!(token::write_private(&path, &token::generate()).is_err());
    assert!(!trap.exists());
}

#[test]
fn unreadable_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().join("none"), folder.path().to_owned()] {
        let error = token::from_file(&path).unwrap_err();
        assert!(
            error.to_string().contains(&path.display().to_string()),
            "{error}"
        );
    }
}

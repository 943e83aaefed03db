//! Argon2id with memory that is kept from one hash to the next.
//!
//! A hash fills 19 MiB. Taken from the allocator each time they end up in the arenas of many threads,
//! half a gigabyte after a minute of logins; kept, there are as many as hashes run at once.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use argon2::{
    Algorithm, Argon2, Block, CustomizedPasswordHasher, Params, PasswordHasher, Version,
    password_hash::{
        self,
        phc::{Output, ParamsString, PasswordHash, Salt},
    },
};

/// A hasher of passwords; one that also checks them, through `PasswordVerifier`.
pub(super) struct Hasher {
    params: Params,
    /// Memory that no hash uses at the moment.
    kept: Mutex<Vec<Vec<Block>>>,
}

impl Hasher {
    pub(super) fn new(params: Params) -> Self {
        Self {
            params,
            kept: Mutex::default(),
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Vec<Vec<Block>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn compute(
        &self,
        params: &Params,
        (password, salt): (&[u8], &[u8]),
        out: &mut [u8],
    ) -> Result<(), argon2::Error> {
        let mut blocks = self.kept().pop().unwrap_or_default();
        blocks.resize(params.block_count(), Block::new());
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
        let done = argon2.hash_password_into_with_memory(password, salt, out, &mut blocks[..]);
        self.kept().push(blocks);
        done
    }
}

impl CustomizedPasswordHasher<PasswordHash> for Hasher {
    type Params = Params;

    fn hash_password_customized(
        &self,
        password: &[u8],
        salt: &[u8],
        algorithm: Option<&str>,
        version: Option<u32>,
        params: Params,
    ) -> password_hash::Result<PasswordHash> {
        // Nothing but this was ever written by us.
        let known = algorithm.is_none_or(|name| name == Algorithm::Argon2id.as_str())
            && version.is_none_or(|version| version == u32::from(Version::V0x13));
        if !known {
            return Err(password_hash::Error::Algorithm);
        }
        let salt = Salt::new(salt)?;
        let mut buffer = [0; Output::MAX_LENGTH];
        let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
        let out = buffer.get_mut(..length);
        let out = out.ok_or(password_hash::Error::OutputSize)?;
        self.compute(&params, (password, &salt), out)?;
        Ok(PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            hash: Some(Output::new(out)?),
            params: ParamsString::try_from(params)?,
            salt: Some(salt),
        })
    }
}

impl PasswordHasher<PasswordHash> for Hasher {
    fn hash_password_with_salt(
        &self,
        password: &[u8],
        salt: &[u8],
    ) -> password_hash::Result<PasswordHash> {
        self.hash_password_customized(password, salt, None, None, self.params.clone())
    }
}

impl fmt::Debug for Hasher {
    // Memory of a hash tells of its password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher")
            .field("params", &self.params)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};

    use super::Hasher;

    #[test]
    fn hashes_are_those_of_the_crate_whatever_the_memory_held() {
        let params = |kib| Params::new(kib, 2, 1, None).unwrap();
        let ours = Hasher::new(params(128));
        for (kib, password) in [(128, "one"), (64, "two"), (256, "three"), (128, "one")] {
            let theirs = Argon2::new(Algorithm::Argon2id, Version::V0x13, params(kib));
            let hash = theirs.hash_password_with_salt(password.as_bytes(), b"salt-salt-salt");
            let hash = hash.unwrap();
            assert!(ours.verify_password(password.as_bytes(), &hash).is_ok());
            assert!(ours.verify_password(b"another", &hash).is_err());
        }
        let hash = ours.hash_password_with_salt(b"four", b"salt-salt-salt");
        let hash = hash.unwrap().to_string();
        let theirs = Argon2::default();
        assert!(theirs.verify_password(b"four", hash.as_str()).is_ok());
        assert_eq!(ours.kept().len(), 1);
    }

    #[test]
    fn a_hash_of_another_kind_fits_nothing() {
        let params = Params::new(64, 1, 1, None).unwrap();
        let ours = Hasher::new(params.clone());
        let theirs = Argon2::new(Algorithm::Argon2d, Version::V0x13, params);
        let hash = theirs.hash_password_with_salt(b"one", b"salt-salt-salt");
        assert!(ours.verify_password(b"one", &hash.unwrap()).is_err());
    }
}

//! Files of plugins: with the key that a plugin holds, with the rights that they are to have, or wrong.

use crate::forge::words::words;

#[cfg(not(unix))]
pub(super) use elsewhere::{apply, set_mode, write_key};
#[cfg(unix)]
pub(super) use of_unix::{apply, set_mode, write_key};

words! {
    /// What is wrong with the file of a plugin.
    pub(in crate::scenario) FileDefect {
        /// No user may run it.
        NotExecutable "not-executable"
        /// Every user may write to it.
        WorldWritable "world-writable"
        /// It is a symbolic link.
        SymbolicLink "symbolic-link"
        /// A folder is in its place.
        Folder "folder"
        /// A pipe is in its place.
        Pipe "pipe"
    }
}

#[cfg(unix)]
mod of_unix {
    //! Files with the rights that they are to have.

    use std::fs::{self, Permissions};
    use std::io;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::Path;
    use std::process::Command;

    use super::FileDefect;
    use crate::forge::{Signer, pem};

    /// Writes the key of `signer` with its chain into `folder`, for the plugin of that folder.
    pub(in super::super) fn write_key(folder: &Path, signer: &Signer) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let key = signer.key.pkcs8().map_err(|error| io::Error::other(error.to_string()))?;
        let chain: Vec<Vec<u8>> = signer.chain.iter().map(|der| pem("CERTIFICATE", der)).collect();
        fs::write(folder.join("signer.key"), pem("PRIVATE KEY", &key))?;
        set_mode(&folder.join("signer.key"), 0o600)?;
        fs::write(folder.join("signer.crt"), chain.concat())
    }

    /// Sets the rights of `path`.
    pub(in super::super) fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
        fs::set_permissions(path, Permissions::from_mode(mode))
    }

    /// Makes the file of a plugin wrong.
    pub(in super::super) fn apply(defect: FileDefect, file: &Path) -> io::Result<()> {
        match defect {
            FileDefect::NotExecutable => set_mode(file, 0o644),
            FileDefect::WorldWritable => set_mode(file, 0o777),
            FileDefect::SymbolicLink => {
                let program = file.with_file_name("program");
                fs::rename(file, &program)?;
                symlink(program, file)
            }
            FileDefect::Folder => {
                fs::remove_file(file)?;
                fs::create_dir(file)
            }
            FileDefect::Pipe => {
                fs::remove_file(file)?;
                let made = Command::new("mkfifo").arg(file).status()?;
                if made.success() { Ok(()) } else { Err(io::Error::other("mkfifo made no pipe")) }
            }
        }
    }
}

#[cfg(not(unix))]
mod elsewhere {
    //! Nothing here has such rights, and the forge installs no plugins either.

    use std::io;
    use std::path::Path;

    use super::FileDefect;
    use crate::forge::Signer;

    pub(in super::super) fn write_key(_: &Path, _: &Signer) -> io::Result<()> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }

    pub(in super::super) fn set_mode(_: &Path, _: u32) -> io::Result<()> {
        Ok(())
    }

    pub(in super::super) fn apply(_: FileDefect, _: &Path) -> io::Result<()> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }
}

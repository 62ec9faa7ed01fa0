//! Every manner of the shim, with a key of each family and both programs that sign: signs, or refuses with words that are true
//! and name a way.

mod play;
mod table;
mod unspoiled;

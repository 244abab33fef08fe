//! host.h: the host contract. Data and callbacks only: what an embedding VM tells the library about
//! itself, once, and what it is told in return.

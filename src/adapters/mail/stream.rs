//! A connection that has still to become private.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// The first byte of a TLS handshake (RFC 8446, 5.1); no SMTP command begins with it.
const HANDSHAKE: u8 = 22;

/// A connection that is read byte by byte until TLS begins.
///
/// Lettre keeps what came with the answer to STARTTLS in its buffer and takes it for answers on the private connection, so that
/// whoever is in between could put words into the server's mouth (CVE-2021-22947 is the same in curl). Read like this, nothing is in the buffer,
/// and such words break the handshake.
#[derive(Debug)]
pub(super) struct Unbuffered {
    inner: TcpStream,
    private: bool,
}

impl Unbuffered {
    /// Connects to the first address of a name that answers; each is given `wait`.
    pub(super) async fn connect(host: &str, port: u16, wait: Duration) -> io::Result<Self> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in tokio::net::lookup_host((host, port)).await? {
            match tokio::time::timeout(wait, TcpStream::connect(address)).await {
                Ok(Ok(inner)) => return Ok(Self { inner, private: false }),
                Ok(Err(error)) => last = error,
                Err(_) => last = io::ErrorKind::TimedOut.into(),
            }
        }
        Err(last)
    }
}

impl AsyncRead for Unbuffered {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.private {
            return Pin::new(&mut this.inner).poll_read(cx, buf);
        }
        let mut byte = [0; 1];
        let mut one = ReadBuf::new(&mut byte);
        ready!(Pin::new(&mut this.inner).poll_read(cx, &mut one))?;
        buf.put_slice(one.filled());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Unbuffered {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.private |= bytes.first() == Some(&HANDSHAKE);
        Pin::new(&mut this.inner).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

impl AsyncTokioStream for Unbuffered {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.inner.peer_addr()
    }
}

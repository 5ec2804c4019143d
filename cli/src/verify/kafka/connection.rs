//! Requests and answers on the wire: in goes a request of a fixed version, out comes its answer
//! from the broker of that address. One request at a time a broker, each with a limit of time.

use crate::failure::{Failure, Outcome};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::{RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// No answer is larger: a fetch is limited, and goes beyond by one batch at most.
const ANSWER_BYTES: usize = 256 << 20;
const LIMIT: Duration = Duration::from_secs(30);

/// Open connections, by `host:port`.
#[derive(Debug, Default)]
pub(super) struct Connections {
    open: BTreeMap<String, TcpStream>,
    correlation: i32,
}

impl Connections {
    /// One request and its answer.
    ///
    /// # Errors
    /// `Unreadable`, naming the broker.
    pub(super) async fn ask<R: Request>(
        &mut self,
        address: &str,
        version: i16,
        request: &R,
    ) -> Outcome<R::Response> {
        self.correlation += 1;
        let why = match tokio::time::timeout(LIMIT, self.try_ask(address, version, request)).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(why)) => why,
            Err(_) => format!("no answer within {} s", LIMIT.as_secs()),
        };
        // What is left of the answer would be taken for the next one.
        self.open.remove(address);
        Err(Failure::unreadable(format!(
            "the broker {address} cannot be asked: {why} (plaintext listeners only; for others \
             read the offsets by another program and give --kafka-offsets)"
        )))
    }

    async fn try_ask<R: Request>(
        &mut self,
        address: &str,
        version: i16,
        request: &R,
    ) -> Result<R::Response, String> {
        let text = |e: std::io::Error| e.to_string();
        if !self.open.contains_key(address) {
            let stream = TcpStream::connect(address).await.map_err(text)?;
            self.open.insert(address.to_owned(), stream);
        }
        let stream = self.open.get_mut(address).ok_or("the connection is gone")?;
        let message = encode(request, version, self.correlation).map_err(|e| e.to_string())?;
        stream.write_all(&message).await.map_err(text)?;
        let length = stream.read_u32().await.map_err(text)? as usize;
        if length > ANSWER_BYTES {
            return Err(format!("an answer of {length} bytes, so this is no Kafka listener"));
        }
        let mut answer = vec![0; length];
        stream.read_exact(&mut answer).await.map_err(text)?;
        let mut answer = Bytes::from(answer);
        let header = ResponseHeader::decode(&mut answer, R::Response::header_version(version))
            .map_err(|e| e.to_string())?;
        if header.correlation_id != self.correlation {
            return Err("an answer to another request".to_owned());
        }
        let decoded = R::Response::decode(&mut answer, version).map_err(|e| e.to_string())?;
        match answer.has_remaining() {
            true => Err("an answer that is too long".to_owned()),
            false => Ok(decoded),
        }
    }
}

fn encode<R: Request>(
    request: &R,
    version: i16,
    correlation: i32,
) -> Result<BytesMut, Box<dyn std::error::Error + Send + Sync>> {
    let header = RequestHeader::default()
        .with_request_api_key(R::KEY)
        .with_request_api_version(version)
        .with_correlation_id(correlation)
        .with_client_id(Some(StrBytes::from_static_str("alluvium-verify")));
    let mut body = BytesMut::new();
    header.encode(&mut body, R::header_version(version))?;
    request.encode(&mut body, version)?;
    let mut message = BytesMut::with_capacity(body.len() + 4);
    message.put_u32(u32::try_from(body.len())?);
    message.extend_from_slice(&body);
    Ok(message)
}

#include "protocol/agent/record.hpp"
#include "protocol/agent/record_crypto.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

using namespace picket;
using namespace picket::protocol;

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

const record_key& the_key() {
  static const record_key key = derive_record_key("007", "web-01", "5f1c0d7be2a94836c7d05e91");
  return key;
}

/// Opens the bytes as they are: no crash, and whatever opens is within the limits.
void open_any(byte_view record, record_opener& opener, open_scratch& scratch) {
  auto head = parse_record_head(record);
  if (!head) return;
  if (head->id) agent_id_of(*head->id);
  auto opened = opener.open(head->cipher, head->ciphertext, scratch);
  if (!opened) {
    must(name_of(opened.error()) != "unknown");
    return;
  }
  must(opened->message.size() <= max_record_bytes);
  volatile char beyond = opened->message.data()[opened->message.size() + message_slack_bytes - 1];
  static_cast<void>(beyond);
}

/// The bytes as the plaintext, so that inflation and the checks behind it are reached.
void open_as_plaintext(byte_view data, record_opener& opener, open_scratch& scratch) {
  static crypto::block_cipher cipher{the_key(), crypto::direction::encrypt};
  std::string plain{as_text(data)};
  auto padding = 16 - plain.size() % 16;
  plain.append(padding, static_cast<char>(padding));
  byte_buffer out(plain.size());
  must(cipher.run(record_cipher::aes, as_bytes(plain), out.data()));
  opener.open(record_cipher::aes, out, scratch);
}

/// Sealed and opened is the same.
void there_and_back(byte_view data, record_opener& opener, open_scratch& scratch) {
  static seal_scratch sealing{1};
  static record_sealer sealer{the_key()};
  auto message = as_text(data).substr(0, max_message_bytes);
  seal_options options;
  options.cipher = data.size() % 2 == 0 ? record_cipher::aes : record_cipher::blowfish;
  options.counters = {static_cast<std::uint32_t>(data.size()), 17};
  options.id = data.size() % 3 == 0 ? "007" : "";
  byte_buffer record;
  auto sealed = sealer.seal(message, options, record, sealing);
  must(sealed.has_value() == !message.empty());
  if (!sealed) return;
  auto head = parse_record_head(record);
  must(head.has_value() && head->cipher == options.cipher);
  auto opened = opener.open(head->cipher, head->ciphertext, scratch);
  must(opened.has_value() && opened->message == message && opened->counters == options.counters);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static record_opener opener{the_key()};
  static open_scratch scratch;
  byte_view bytes{reinterpret_cast<const std::byte*>(data), size};
  open_any(bytes, opener, scratch);
  open_as_plaintext(bytes, opener, scratch);
  there_and_back(bytes, opener, scratch);
  return 0;
}

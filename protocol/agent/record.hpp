#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "protocol/agent/counters.hpp"
#include "protocol/agent/frame.hpp"

#include <array>
#include <memory>
#include <optional>
#include <string_view>

#include <tl/expected.hpp>

/// Sealed records between agents and server, both directions (agent-protocol 2.4 to 2.7). Nothing of a record
/// may be believed before `record_opener::open` answered it.

namespace picket::protocol {

inline constexpr std::size_t max_message_bytes = 65'408;
/// Readable bytes behind the text of an opened message: matchers may look ahead.
inline constexpr std::size_t message_slack_bytes = 64;

enum class record_cipher : std::uint8_t { aes, blowfish };

/// Why a record was not accepted; `name_of` is the label of the metric.
enum class record_errc : std::uint8_t {
  bad_prefix,        ///< `!` without digits and a second `!`
  bad_tag,           ///< neither `#AES:` nor `:`
  bad_length,        ///< no ciphertext, or not a multiple of the cipher's block
  bad_padding,       ///< the padding of the last block
  wrong_key,         ///< the plaintext begins neither with `!` nor with `:`
  bad_compression,   ///< the zlib stream is damaged
  too_large,         ///< it inflates to more than 65536 bytes, or the record to seal is too long
  too_short,         ///< less than digest and counters
  bad_checksum,      ///< the digest is not that of the body
  bad_header,        ///< digits or separators of the counters
  cipher_unavailable ///< this build of OpenSSL has no Blowfish
};
inline constexpr std::size_t record_errc_count = 11;

std::string_view name_of(record_errc code) noexcept;

/// The clear part of a record.
struct record_head {
  std::optional<std::string_view> id; ///< digits as sent; nothing: the source address names the agent
  record_cipher cipher = record_cipher::aes;
  byte_view ciphertext;
};

/// Reads prefix and tag. Views point into the record. `#ping` is not a record: test `is_ping` before.
tl::expected<record_head, record_errc> parse_record_head(byte_view record) noexcept;

/// The number of an id in its only valid spelling (`001`, `1000`; at most 8 digits, not 0); ids are compared
/// as text, so `1` and `0001` name nobody.
std::optional<agent_id> agent_id_of(std::string_view digits) noexcept;

/// The key text from which both ciphers' keys are cut: 47 hex digits (agent-protocol 2.5).
using record_key = std::array<char, 47>;

record_key derive_record_key(std::string_view id, std::string_view name, std::string_view key);

struct opened_record {
  counter_pair counters;
  /// Points into the scratch memory until its next use; `message_slack_bytes` are readable behind it.
  std::string_view message;
};

/// Memory for opening records; one per thread, used by any number of openers in turn.
class open_scratch {
public:
  open_scratch();
  open_scratch(open_scratch&&) noexcept;
  open_scratch& operator=(open_scratch&&) noexcept;
  ~open_scratch();

private:
  friend class record_opener;
  struct buffers;
  std::unique_ptr<buffers> buffers_;
};

/// Opens the records of one agent's key; keeps the cipher's context between them. Used by one thread at a
/// time; may move between threads.
class record_opener {
public:
  explicit record_opener(const record_key& key);
  record_opener(record_opener&&) noexcept;
  record_opener& operator=(record_opener&&) noexcept;
  ~record_opener();

  /// Decrypts, inflates, verifies. Work is linear in the ciphertext and memory bounded, whatever the bytes.
  tl::expected<opened_record, record_errc> open(record_cipher cipher, byte_view ciphertext,
                                                open_scratch& scratch) noexcept;

private:
  struct contexts;
  std::unique_ptr<contexts> contexts_;
};

/// Memory for sealing; one per thread.
class seal_scratch {
public:
  /// @param level of zlib, 0 (stored) to 9. Agents take any; 0 is three times as fast for incompressible
  /// chunks.
  explicit seal_scratch(int level = 9);
  seal_scratch(seal_scratch&&) noexcept;
  seal_scratch& operator=(seal_scratch&&) noexcept;
  ~seal_scratch();

private:
  friend class record_sealer;
  struct buffers;
  std::unique_ptr<buffers> buffers_;
};

struct seal_options {
  record_cipher cipher = record_cipher::aes;
  counter_pair counters;
  std::uint16_t salt = 0; ///< the five random digits in front; not a secret
  std::string_view id;    ///< agent to server: the `!id!` prefix; empty for server to agent
};

/// Seals records with one agent's key. As `record_opener` concerning threads.
class record_sealer {
public:
  explicit record_sealer(const record_key& key);
  record_sealer(record_sealer&&) noexcept;
  record_sealer& operator=(record_sealer&&) noexcept;
  ~record_sealer();

  /// Appends the record, without a frame's length; on an error nothing is appended.
  /// `too_short` and `too_large`: a message must have 1..65408 bytes, the record at most 65536.
  tl::expected<void, record_errc> seal(std::string_view message, const seal_options& options, byte_buffer& to,
                                       seal_scratch& scratch);
  /// The same with the length of the TCP frame in front.
  tl::expected<void, record_errc> seal_framed(std::string_view message, const seal_options& options,
                                              byte_buffer& to, seal_scratch& scratch);

private:
  struct contexts;
  std::unique_ptr<contexts> contexts_;
};

} // namespace picket::protocol

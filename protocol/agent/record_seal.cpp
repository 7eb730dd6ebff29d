#include "protocol/agent/record.hpp"

#include "protocol/agent/record_crypto.hpp"

#include <cstdio>
#include <cstring>

#include <zlib.h>

namespace picket::protocol {

namespace {

constexpr std::size_t digest_digits = 32;
constexpr std::size_t header_bytes = 21;

struct compressor {
  z_stream stream{};
  bool ready = false;

  explicit compressor(int level) { ready = deflateInit(&stream, level) == Z_OK; }
  compressor(const compressor&) = delete;
  compressor& operator=(const compressor&) = delete;
  ~compressor() {
    if (ready) deflateEnd(&stream);
  }
};

} // namespace

struct seal_scratch::buffers {
  explicit buffers(int level)
      : deflate(level) {}

  /// Fills `plain`: padding and the zlib stream of `body`. Answers the size; 0 if it does not fit.
  std::size_t compress() {
    auto& stream = deflate.stream;
    if (!deflate.ready || deflateReset(&stream) != Z_OK) return 0;
    constexpr std::size_t most_padding = 8;
    auto bound = deflateBound(&stream, body.size());
    plain.resize(most_padding + bound + 16);
    stream.next_in = reinterpret_cast<Bytef*>(body.data());
    stream.avail_in = static_cast<uInt>(body.size());
    stream.next_out = reinterpret_cast<Bytef*>(plain.data() + most_padding);
    stream.avail_out = static_cast<uInt>(bound);
    if (deflate_all(stream) != Z_STREAM_END) return 0;
    auto length = static_cast<std::size_t>(stream.total_out);
    auto padding = most_padding - length % most_padding;
    std::memset(plain.data(), '!', padding);
    std::memmove(plain.data() + padding, plain.data() + most_padding, length);
    return padding + length;
  }
  static int deflate_all(z_stream& stream) { return ::deflate(&stream, Z_FINISH); }

  compressor deflate;
  std::string body; ///< digest, header, message
  byte_buffer plain;
};

seal_scratch::seal_scratch(int level)
    : buffers_(std::make_unique<buffers>(level)) {}
seal_scratch::seal_scratch(seal_scratch&&) noexcept = default;
seal_scratch& seal_scratch::operator=(seal_scratch&&) noexcept = default;
seal_scratch::~seal_scratch() = default;

struct record_sealer::contexts {
  explicit contexts(const record_key& key)
      : cipher(key, crypto::direction::encrypt) {}
  crypto::block_cipher cipher;
};

record_sealer::record_sealer(const record_key& key)
    : contexts_(std::make_unique<contexts>(key)) {}
record_sealer::record_sealer(record_sealer&&) noexcept = default;
record_sealer& record_sealer::operator=(record_sealer&&) noexcept = default;
record_sealer::~record_sealer() = default;

tl::expected<void, record_errc> record_sealer::seal(std::string_view message, const seal_options& options,
                                                    byte_buffer& to, seal_scratch& scratch) {
  if (message.empty()) return tl::unexpected(record_errc::too_short);
  if (message.size() > max_message_bytes) return tl::unexpected(record_errc::too_large);
  if (!crypto::block_cipher::available(options.cipher))
    return tl::unexpected(record_errc::cipher_unavailable);
  auto& memory = *scratch.buffers_;
  char header[header_bytes + 32];
  std::snprintf(header, sizeof header, "%05u%010u:%04u:", static_cast<unsigned>(options.salt),
                options.counters.global, options.counters.local % 10'000);
  memory.body.assign(digest_digits, '0');
  memory.body.append(header, header_bytes).append(message);
  crypto::md5_hex(std::string_view{memory.body}.substr(digest_digits), memory.body.data());

  auto length = memory.compress();
  if (length == 0) return tl::unexpected(record_errc::bad_compression);
  if (options.cipher == record_cipher::aes) {
    auto padding = 16 - length % 16;
    std::memset(memory.plain.data() + length, static_cast<int>(padding), padding);
    length += padding;
  }
  std::string_view tag = options.cipher == record_cipher::aes ? "#AES:" : ":";
  auto prefix = options.id.empty() ? 0 : options.id.size() + 2;
  if (prefix + tag.size() + length > max_record_bytes) return tl::unexpected(record_errc::too_large);

  const auto begin = to.size();
  auto append = [&to](std::string_view text) {
    auto bytes = as_bytes(text);
    to.insert(to.end(), bytes.begin(), bytes.end());
  };
  if (!options.id.empty()) {
    append("!");
    append(options.id);
    append("!");
  }
  append(tag);
  const auto at = to.size();
  to.resize(at + length);
  if (!contexts_->cipher.run(options.cipher, byte_view{memory.plain}.first(length), to.data() + at)) {
    to.resize(begin);
    return tl::unexpected(record_errc::cipher_unavailable);
  }
  return {};
}

tl::expected<void, record_errc> record_sealer::seal_framed(std::string_view message,
                                                           const seal_options& options, byte_buffer& to,
                                                           seal_scratch& scratch) {
  auto frame = open_frame(to);
  auto sealed = seal(message, options, to, scratch);
  if (sealed)
    close_frame(to, frame);
  else
    to.resize(frame);
  return sealed;
}

} // namespace picket::protocol

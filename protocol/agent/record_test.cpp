#include "protocol/agent/control.hpp"
#include "protocol/agent/event_message.hpp"
#include "protocol/agent/record.hpp"
#include "protocol/agent/record_crypto.hpp"

#include <gtest/gtest.h>

#include <random>

#include <zlib.h>

namespace picket::protocol {
namespace {

// The worked transcript of the protocol's specification, section 11.
constexpr std::string_view id = "007";
constexpr std::string_view name = "web-01";
constexpr std::string_view key = "5f1c0d7be2a94836c7d05e91ab34f26890b7de41c35fa28670194ecdb8a3f512";
constexpr std::string_view event_text = "1:/var/log/auth.log:Jan  1 00:00:00 web-01 sshd[4242]: Failed "
                                        "password for root from 192.0.2.10 port 50022 ssh2";
constexpr std::string_view aes_event = "2130303721234145533a2ac11cce0d5a482377c54330141d76e0f191723702b719c43"
                                       "ab9d6ff7717e53261d80984594531b2b9a141ccf6"
                                       "38a96ce75143a7c247294c324e289195672a85694ba320fd2c07459458a538f13a5f2"
                                       "4226a8dcab4c5fca3e402950ed83c21a2705f62cf"
                                       "cfc79e010c0f995fef668929fa66a6d0965c0fce651acacf83ff8f67c31928d0eb11c"
                                       "eaebb86820238fffa05ce8979a2b167283ca30f20"
                                       "2972622a6f";
constexpr std::string_view aes_startup =
    "2130303721234145533a8cad61dad1a0156dec05c612a7efdb7582c87195d279af202b52c72cd720272f913a2cf3f82d1294c3d2"
    "8e4f22"
    "9a5f98ff5abecf3602ad849c3aafc2b9e5887d776b64bbb00510779d746a80be70625a0dce687b46f5fdc1260309e8366440fe";
constexpr std::string_view aes_ack = "234145533a24ef92da7b989955f5c16f51026f94069caef9c582dd73ba160a937b0473c"
                                     "0596fbb08094dec357e08be580b77dafca7225b"
                                     "5cd2c4c03d3b1d611a60334a52b5d7da2aeadb2cbdf2e39fc3e9c29669d6";
constexpr std::string_view blowfish_event =
    "21303037213a6dcbf729d4907093cdf8a98d8a4f8b3591807bbb464a58021617c0b66b21c24a06652d4f92df2f5e53e837982222"
    "1cf2fd"
    "184ad4feef743884571f60512a4ab584f36e1be735491b9fd75c12c9416cf8b2c8e71cb684676e5707b1d9b0e3ff6e99d2635523"
    "a93f1b"
    "7318d6bf46cd4cfcd0764d678ae869e7107138b82dcfd8343f49dbfa0c5987b3efa1037318b9f3b7";
constexpr std::string_view blowfish_ack = "3ad9652a941833a1f27d731b9b7f6aee5ad0339453e491000a948082dcc8113edf"
                                          "76ed1ad35d964deaf250b2b6105f96cf052e4580b134"
                                          "e5d47e75412e0b8b220d4a9602de3c61665e";

byte_buffer bytes_of(std::string_view hex) { return from_hex(hex).value(); }
record_key the_key() { return derive_record_key(id, name, key); }

struct opened_copy {
  std::string message;
  counter_pair counters;
};

tl::expected<opened_copy, record_errc> open(const byte_buffer& record, const record_key& with = the_key()) {
  auto head = parse_record_head(record);
  if (!head) return tl::unexpected(head.error());
  open_scratch scratch;
  record_opener opener{with};
  auto opened = opener.open(head->cipher, head->ciphertext, scratch);
  if (!opened) return tl::unexpected(opened.error());
  opened_copy copy;
  copy.message = opened->message;
  copy.counters = opened->counters;
  return copy;
}

byte_buffer seal(std::string_view message, const seal_options& options = {}, int level = 9) {
  seal_scratch scratch{level};
  record_sealer sealer{the_key()};
  byte_buffer record;
  EXPECT_TRUE(sealer.seal(message, options, record, scratch));
  return record;
}

TEST(RecordKey, IsDerivedAsInTheTranscript) {
  auto derived = the_key();
  EXPECT_EQ((std::string_view{derived.data(), derived.size()}),
            "f2bb11e92fde617b5079764c0e2867016d446ebe26cc6d2");
}

struct vector_case {
  const char* label;
  std::string_view hex;
  std::string_view message;
  counter_pair counters;
};

class RecordVectors : public ::testing::TestWithParam<vector_case> {};

TEST_P(RecordVectors, Open) {
  auto opened = open(bytes_of(GetParam().hex));
  ASSERT_TRUE(opened) << name_of(opened.error());
  EXPECT_EQ(opened->message, GetParam().message);
  EXPECT_EQ(opened->counters, GetParam().counters);
}

INSTANTIATE_TEST_SUITE_P(Section11, RecordVectors,
                         ::testing::Values(vector_case{"AesEvent", aes_event, event_text, {0, 1}},
                                           vector_case{"AesStartup",
                                                       aes_startup,
                                                       "#!-agent startup {\"version\":\"v4.14.7\"}",
                                                       {0, 2}},
                                           vector_case{"AesAck", aes_ack, ack_message, {0, 1}},
                                           vector_case{"BlowfishEvent", blowfish_event, event_text, {0, 1}},
                                           vector_case{"BlowfishAck", blowfish_ack, ack_message, {0, 1}}),
                         [](const auto& param) { return std::string{param.param.label}; });

TEST(RecordHead, ReadsPrefixAndTag) {
  auto record = bytes_of(aes_event);
  auto head = parse_record_head(record).value();
  EXPECT_EQ(head.id, "007");
  EXPECT_EQ(head.cipher, record_cipher::aes);
  EXPECT_EQ(head.ciphertext.size(), 160u);
  auto ack = bytes_of(blowfish_ack);
  auto bare = parse_record_head(ack).value();
  EXPECT_FALSE(bare.id);
  EXPECT_EQ(bare.cipher, record_cipher::blowfish);
}

TEST(RecordHead, RefusesWhatNamesNothing) {
  auto refusal = [](std::string_view text) { return parse_record_head(as_bytes(text)).error(); };
  EXPECT_EQ(refusal("!"), record_errc::bad_prefix);
  EXPECT_EQ(refusal("!!#AES:x"), record_errc::bad_prefix);
  EXPECT_EQ(refusal("!007#AES:x"), record_errc::bad_prefix);
  EXPECT_EQ(refusal("!00x7!#AES:x"), record_errc::bad_prefix);
  EXPECT_EQ(refusal("!007"), record_errc::bad_prefix);
  EXPECT_EQ(refusal("!007!"), record_errc::bad_tag);
  EXPECT_EQ(refusal("!007!#AES"), record_errc::bad_tag);
  EXPECT_EQ(refusal("GET / HTTP/1.1"), record_errc::bad_tag);
  EXPECT_EQ(refusal(""), record_errc::bad_tag);
}

TEST(RecordHead, KnowsIdsInTheirOneSpelling) {
  EXPECT_EQ(agent_id_of("001"), 1u);
  EXPECT_EQ(agent_id_of("999"), 999u);
  EXPECT_EQ(agent_id_of("1000"), 1000u);
  EXPECT_EQ(agent_id_of("99999999"), 99'999'999u);
  for (auto* wrong : {"", "1", "01", "0001", "000", "100000000", "0x1", "12a"})
    EXPECT_EQ(agent_id_of(wrong), std::nullopt) << wrong;
}

TEST(Record, SealsTheTranscriptByteForByte) {
  // The compressed bytes may differ with another zlib; then only opening them can be compared.
  seal_options options;
  options.counters = {0, 1};
  options.salt = 4711;
  options.id = id;
  auto record = seal(event_text, options);
  ASSERT_TRUE(open(record));
  EXPECT_EQ(open(record)->message, event_text);
  if (std::string_view{zlibVersion()} == "1.2.13") {
    EXPECT_EQ(to_hex(record), aes_event);
    options.cipher = record_cipher::blowfish;
    EXPECT_EQ(to_hex(seal(event_text, options)), blowfish_event);
    seal_options reply;
    reply.counters = {0, 1};
    reply.salt = 815;
    EXPECT_EQ(to_hex(seal(ack_message, reply)), aes_ack);
  }
}

TEST(Record, EveryLengthGoesThereAndBack) {
  std::mt19937 random{7};
  SCOPED_TRACE("seed 7");
  open_scratch opening;
  seal_scratch sealing{6};
  record_opener opener{the_key()};
  record_sealer sealer{the_key()};
  for (std::size_t size = 1; size <= 600; ++size) {
    std::string message(size, '\0');
    for (auto& c : message)
      c = static_cast<char>(random() % (size % 2 == 0 ? 256 : 4));
    seal_options options;
    options.cipher = size % 3 == 0 ? record_cipher::blowfish : record_cipher::aes;
    options.counters = {static_cast<std::uint32_t>(random()), static_cast<std::uint32_t>(size)};
    options.salt = static_cast<std::uint16_t>(random());
    byte_buffer record;
    ASSERT_TRUE(sealer.seal(message, options, record, sealing));
    auto head = parse_record_head(record).value();
    auto opened = opener.open(head.cipher, head.ciphertext, opening);
    ASSERT_TRUE(opened) << size << ": " << name_of(opened.error());
    ASSERT_EQ(opened->message, message);
    ASSERT_EQ(opened->counters, options.counters);
  }
}

TEST(Record, TakesTheLargestMessageAndRefusesMore) {
  auto opened = open(seal(std::string(max_message_bytes, 'a')));
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->message.size(), max_message_bytes);

  seal_scratch scratch;
  record_sealer sealer{the_key()};
  byte_buffer to(3);
  EXPECT_EQ(sealer.seal("", {}, to, scratch).error(), record_errc::too_short);
  EXPECT_EQ(sealer.seal(std::string(max_message_bytes + 1, 'a'), {}, to, scratch).error(),
            record_errc::too_large);
  std::mt19937 random{3};
  std::string noise(max_message_bytes, '\0');
  for (auto& c : noise)
    c = static_cast<char>(random());
  seal_options options;
  options.id = "12345678";
  EXPECT_EQ(to.size(), 3u) << "nothing is left of a record that failed";
  ASSERT_TRUE(sealer.seal_framed(noise, options, to, scratch)) << "even what does not compress fits";
  EXPECT_LE(to.size(), 3 + frame_prefix_bytes + max_record_bytes);
}

TEST(Record, FramesWhatItSeals) {
  seal_scratch scratch;
  record_sealer sealer{the_key()};
  byte_buffer stream;
  ASSERT_TRUE(sealer.seal_framed("a:b", {}, stream, scratch));
  ASSERT_TRUE(sealer.seal_framed("c:d", {}, stream, scratch));
  auto first = cut_frame(stream);
  ASSERT_EQ(first.status, frame_status::complete);
  auto second = cut_frame(byte_view{stream}.subspan(first.consumed));
  ASSERT_EQ(second.status, frame_status::complete);
  EXPECT_EQ(open(byte_buffer{second.record.begin(), second.record.end()})->message, "c:d");
  EXPECT_EQ(first.consumed + second.consumed, stream.size());
}

// ---- what must not be accepted ----

/// Encrypts a plaintext as it is, so that each later step can be given something wrong.
byte_buffer encrypted(std::string plain, bool with_padding = true) {
  if (with_padding) plain.append(16 - plain.size() % 16, static_cast<char>(16 - plain.size() % 16));
  crypto::block_cipher cipher{the_key(), crypto::direction::encrypt};
  byte_buffer out(plain.size());
  EXPECT_TRUE(cipher.run(record_cipher::aes, as_bytes(plain), out.data()));
  auto record = as_text(out);
  std::string with_tag = "#AES:" + std::string{record};
  auto bytes = as_bytes(with_tag);
  return {bytes.begin(), bytes.end()};
}

std::string compressed(std::string_view body) {
  uLongf size = compressBound(body.size());
  std::string out(size, '\0');
  compress2(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(body.data()),
            body.size(), 9);
  out.resize(size);
  return out;
}

std::string with_digest(std::string_view body) {
  std::string text(32, '0');
  crypto::md5_hex(body, text.data());
  return text.append(body);
}

TEST(Record, EveryFlippedByteIsNoticed) {
  auto record = bytes_of(aes_event);
  for (std::size_t i = 10; i < record.size(); ++i) {
    auto flipped = record;
    flipped[i] ^= std::byte{1};
    EXPECT_FALSE(open(flipped)) << "byte " << i;
  }
}

TEST(Record, AnotherKeyOpensNothing) {
  auto other = derive_record_key("008", "web-01", "another key");
  EXPECT_FALSE(open(bytes_of(aes_event), other));
  EXPECT_FALSE(open(bytes_of(blowfish_event), other));
}

TEST(Record, SaysWhatIsWrong) {
  const std::string body = "047110000000000:0001:1:a:b";
  EXPECT_TRUE(open(encrypted("!!" + compressed(with_digest(body)))));
  EXPECT_TRUE(open(encrypted("!" + compressed(with_digest(body)) + "trailing bytes")));
  auto wrong = [](const byte_buffer& record) { return open(record).error(); };
  EXPECT_EQ(wrong(encrypted("!" + compressed(std::string(32, 'a') + body))), record_errc::bad_checksum);
  EXPECT_EQ(wrong(encrypted("!" + compressed("short"))), record_errc::too_short);
  EXPECT_EQ(wrong(encrypted("!" + compressed(with_digest("0471100000000x0:0001:1:a:b")))),
            record_errc::bad_header);
  EXPECT_EQ(wrong(encrypted("!" + compressed(with_digest("047110000000000;0001:1:a:b")))),
            record_errc::bad_header);
  EXPECT_EQ(wrong(encrypted("!" + compressed(with_digest("047119999999999:0001:1:a:b")))),
            record_errc::bad_header);
  EXPECT_EQ(wrong(encrypted("!not a stream")), record_errc::bad_compression);
  EXPECT_EQ(wrong(encrypted("!!!!")), record_errc::bad_compression);
  EXPECT_EQ(wrong(encrypted("hello")), record_errc::wrong_key);
  EXPECT_EQ(wrong(encrypted("0123456789abcdef", false)), record_errc::bad_padding);
  EXPECT_EQ(wrong(encrypted(std::string(15, '!') + '\0', false)), record_errc::bad_padding);
  EXPECT_EQ(wrong(encrypted(std::string(14, '!') + "\x03\x02", false)), record_errc::bad_padding);
  auto cut = bytes_of(aes_event);
  cut.pop_back();
  EXPECT_EQ(wrong(cut), record_errc::bad_length);
  EXPECT_EQ(wrong(bytes_of("234145533a")), record_errc::bad_length);
}

TEST(Record, ABombStaysWithinItsMemory) {
  auto bomb = encrypted("!" + compressed(std::string(10'000'000, 'a')));
  EXPECT_LT(bomb.size(), max_record_bytes);
  EXPECT_EQ(open(bomb).error(), record_errc::too_large);
  EXPECT_TRUE(
      open(encrypted("!" + compressed(with_digest("047110000000000:0001:" + std::string(65'483, 'a'))))));
  EXPECT_EQ(open(encrypted("!" + compressed(with_digest("047110000000000:0001:" + std::string(65'484, 'a')))))
                .error(),
            record_errc::too_large);
}

TEST(Record, OpensTheFormBeforeCompression) {
  auto opened = open(encrypted(":" + with_digest("1234567890 0042 x:1:a:b")));
  ASSERT_TRUE(opened) << name_of(opened.error());
  EXPECT_EQ(opened->message, "1:a:b");
  EXPECT_EQ(opened->counters, (counter_pair{1'234'567'890, 42}));
  EXPECT_EQ(open(encrypted(":" + with_digest("1234567890 0042 no end"))).error(), record_errc::bad_header);
  EXPECT_EQ(open(encrypted(":" + std::string(32, '0') + "1234567890 0042 x:1:a:b")).error(),
            record_errc::bad_checksum);
  EXPECT_EQ(open(encrypted(":")).error(), record_errc::too_short);
}

TEST(Record, EveryReasonHasAName) {
  for (std::size_t i = 0; i < record_errc_count; ++i)
    EXPECT_NE(name_of(static_cast<record_errc>(i)), "unknown") << i;
  EXPECT_EQ(name_of(static_cast<record_errc>(record_errc_count)), "unknown");
}

} // namespace
} // namespace picket::protocol

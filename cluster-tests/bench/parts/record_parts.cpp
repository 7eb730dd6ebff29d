// Parts of the way in: sealed records, frames, heads, the registry's look-up.
#include <benchmark/benchmark.h>

#include "protocol/agent/record.hpp"

namespace {

using namespace picket;

constexpr char key_text[] = "5f1c0d7be2a94836c7d05e91ab34f26890b7de41c35fa28670194ecdb8a3f512";

/// Text as log lines are: words that come again, numbers that do not.
std::string message_of(std::size_t bytes) {
  static constexpr const char* words[] = {"session", "opened", "for", "user", "root", "from", "port", "by"};
  std::string text = "1:/var/log/auth.log:";
  std::uint32_t state = 12'345;
  while (text.size() < bytes) {
    state = state * 1'664'525U + 1'013'904'223U;
    text += words[state >> 29U];
    text += ' ';
    text += std::to_string(state >> 16U);
    text += ' ';
  }
  text.resize(bytes);
  return text;
}

byte_buffer sealed(std::size_t bytes, protocol::record_cipher cipher) {
  protocol::record_sealer sealer{protocol::derive_record_key("007", "web-01", key_text)};
  protocol::seal_scratch scratch;
  protocol::seal_options options;
  options.cipher = cipher;
  options.counters = {1, 1};
  options.id = "007";
  byte_buffer record;
  static_cast<void>(sealer.seal(message_of(bytes), options, record, scratch));
  return record;
}

void open_record(benchmark::State& state, protocol::record_cipher cipher) {
  auto record = sealed(static_cast<std::size_t>(state.range(0)), cipher);
  auto head = protocol::parse_record_head(record);
  protocol::record_opener opener{protocol::derive_record_key("007", "web-01", key_text)};
  protocol::open_scratch scratch;
  if (!head || !opener.open(head->cipher, head->ciphertext, scratch))
    return state.SkipWithError("the record does not open");
  for (auto _ : state)
    benchmark::DoNotOptimize(opener.open(head->cipher, head->ciphertext, scratch));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(open_record, aes, protocol::record_cipher::aes)->Arg(300)->Arg(4'096)->Arg(60'000);
BENCHMARK_CAPTURE(open_record, blowfish, protocol::record_cipher::blowfish)->Arg(300);

void seal_record(benchmark::State& state, int level) {
  protocol::record_sealer sealer{protocol::derive_record_key("007", "web-01", key_text)};
  protocol::seal_scratch scratch{level};
  auto message = message_of(static_cast<std::size_t>(state.range(0)));
  protocol::seal_options options;
  options.counters = {1, 1};
  byte_buffer record;
  for (auto _ : state) {
    record.clear();
    benchmark::DoNotOptimize(sealer.seal_framed(message, options, record, scratch));
  }
}
BENCHMARK_CAPTURE(seal_record, as_a_node, 1)->Arg(20)->Arg(300);
BENCHMARK_CAPTURE(seal_record, as_an_agent, 9)->Arg(300);

void refuse_record(benchmark::State& state) {
  auto record = sealed(static_cast<std::size_t>(state.range(0)), protocol::record_cipher::aes);
  auto head = protocol::parse_record_head(record);
  protocol::record_opener opener{protocol::derive_record_key("007", "web-01", "another key")};
  protocol::open_scratch scratch;
  if (!head || opener.open(head->cipher, head->ciphertext, scratch))
    return state.SkipWithError("the record opens with a wrong key");
  for (auto _ : state)
    benchmark::DoNotOptimize(opener.open(head->cipher, head->ciphertext, scratch));
}
BENCHMARK(refuse_record)->Arg(300)->Arg(60'000);

void derive_key(benchmark::State& state) {
  for (auto _ : state) {
    protocol::record_opener opener{protocol::derive_record_key("007", "web-01", key_text)};
    benchmark::DoNotOptimize(opener);
  }
}
BENCHMARK(derive_key);

void cut_frames(benchmark::State& state) {
  byte_buffer stream;
  auto record = sealed(300, protocol::record_cipher::aes);
  for (int i = 0; i < 256; ++i)
    protocol::append_frame(stream, record);
  for (auto _ : state) {
    byte_view rest{stream};
    while (!rest.empty())
      rest = rest.subspan(protocol::cut_frame(rest).consumed);
  }
  state.SetItemsProcessed(state.iterations() * 256);
}
BENCHMARK(cut_frames);

void parse_head(benchmark::State& state) {
  auto record = sealed(300, protocol::record_cipher::aes);
  for (auto _ : state) {
    auto head = protocol::parse_record_head(record);
    benchmark::DoNotOptimize(head);
    benchmark::DoNotOptimize(protocol::agent_id_of(*head->id));
  }
}
BENCHMARK(parse_head);

} // namespace

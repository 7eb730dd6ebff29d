// Any bytes as a log text, as a queue message and as a location. Everything that pre-decoding finds is a
// piece of the text, in the order in which it stands there.

#include "engine/event/predecode.hpp"
#include "engine/event/source.hpp"
#include "engine/testing/fuzz.hpp"

#include <cstdint>
#include <cstring>

using namespace picket::engine;
using testing::lies_in;
using testing::must;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  event ev;
  ev.full_log = text;
  predecode(ev);
  must(ev.full_log == text && lies_in(ev.log, text));
  for (const auto& piece : {ev.program_name, ev.timestamp, ev.hostname_in_log})
    must(!piece || lies_in(*piece, text));
  if (ev.timestamp) {
    must(ev.timestamp->data() + ev.timestamp->size() <= ev.log.data());
    must(ev.log.size() < text.size());
  }
  bool at_start = ev.log.data() == text.data();
  must(at_start ? ev.byte_before_log == '\0'
                : ev.byte_before_log == '\0' || ev.byte_before_log == ev.log.data()[-1]);
  must(ev.hostname == ev.hostname_in_log.value_or(""));
  if (auto host = alert_hostname(text)) must(!host->empty() && lies_in(*host, text));

  if (auto message = split_message(text)) {
    must(lies_in(message->text, text) && message->location.size() <= 8'450);
    auto parts = split_location(message->location);
    auto made = make_source(message->location, "manager");
    must(parts.has_value() == made.has_value());
    if (parts) must(parts->from_agent == (!message->location.empty() && message->location.front() == '['));
  }
  return 0;
}

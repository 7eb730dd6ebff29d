#include "engine/event/plugins.hpp"

#include <algorithm>
#include <array>

namespace picket::engine {

namespace {

constexpr auto npos = std::string_view::npos;

/// Puts an address into one field and what follows its fourth dot, if there is one, into another.
void set_address(event& ev, std::string_view text, static_field address, static_field port) {
  std::size_t dot = npos;
  std::size_t from = 0;
  for (int dots = 0; dots < 4; ++dots) {
    dot = text.find('.', from);
    if (dot == npos) break;
    from = dot + 1;
  }
  ev.set(address, text.substr(0, dot));
  if (dot != npos) ev.set(port, text.substr(dot + 1));
}

} // namespace

void decode_pf(event& ev) {
  std::string_view log = ev.log;
  auto close = log.find(')');
  if (close == npos || log.substr(close + 1, 1) != " ") return;
  auto action = log.substr(close + 2, 1);
  if (action != "p" && action != "b") return;
  ev.set(static_field::action, action == "p" ? "pass" : "block");

  auto colon = log.find(':', close + 2);
  if (colon == npos || log.substr(colon + 1, 1) != " ") return;
  auto blank = log.find(' ', colon + 2);
  if (blank == npos) return;
  set_address(ev, log.substr(colon + 2, blank - colon - 2), static_field::srcip, static_field::srcport);

  if (log.substr(blank + 1, 2) != "> ") return;
  auto start = blank + 3;
  auto end = log.find(':', start);
  if (end == npos) return;
  set_address(ev, log.substr(start, end - start), static_field::dstip, static_field::dstport);

  auto rest = log.find_first_not_of(' ', end + 1);
  if (rest == npos) return;
  ev.set(static_field::protocol, log[rest] == 'u' ? "UDP" : log[rest] == 'i' ? "ICMP" : "TCP");
}

void decode_symantec_ws(event& ev) {
  struct item {
    std::string_view prefix;
    static_field field;
    std::size_t bytes_max;
  };
  static constexpr std::array<item, 3> items = {{{"10=", static_field::dstuser, 128},
                                                 {"11=", static_field::srcip, 128},
                                                 {"60=", static_field::url, 1024}}};
  constexpr std::size_t id_bytes = 9;
  std::string_view rest = ev.log;
  for (auto comma = rest.find(','); comma != npos; comma = rest.find(',')) {
    rest.remove_prefix(comma + 1);
    for (const auto& each : items) {
      if (rest.substr(0, each.prefix.size()) != each.prefix || ev.get(each.field)) continue;
      auto value = rest.substr(each.prefix.size());
      ev.set(each.field, value.substr(0, std::min(value.find(','), each.bytes_max)));
    }
    bool is_id = rest.substr(0, 2) == "3=" || rest.substr(0, 2) == "2=";
    if (!is_id || ev.get(static_field::id)) continue;
    ev.set(static_field::id, rest.substr(0, id_bytes)); // with its prefix, over commas
    rest.remove_prefix(std::min(id_bytes, rest.size()));
  }
}

namespace {

struct sonicwall_patterns {
  pattern head = make(R"(pri=(\d) c=(\d+) m=(\d+) )");
  pattern addresses = make(R"(src=(\d+.\d+.\d+.\d+):(\d+):\S+ dst=(\d+.\d+.\d+.\d+):(\d+):)");
  pattern page = make(R"(result=(\d+) dstname=(\S+) arg=(\S+)$)");

  static pattern make(std::string_view text) {
    return std::move(pattern::compile(language::osregex, text, {true, false}).value());
  }
};

bool is_one_of(std::string_view id, std::initializer_list<std::string_view> ids) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

/// Step 4, for categories other than 32.
void sonicwall_by_id(event& ev, std::string_view id) {
  auto firewall = [&](std::string_view action) {
    ev.type = event_type::firewall;
    ev.set(static_field::action, action);
  };
  if (is_one_of(id, {"98", "597", "598"})) firewall("pass");
  if (is_one_of(id, {"36", "37", "38", "173", "174"})) firewall("drop");
  if (id == "537") firewall("close");
  if (id == "97") ev.type = event_type::squid;
}

} // namespace

void decode_sonicwall(event& ev, match_scratch& scratch, arena& memory) {
  static const sonicwall_patterns patterns;
  constexpr std::size_t category_bytes_max = 7;
  constexpr std::size_t protocol_bytes_max = 6;
  ev.type = event_type::syslog;

  auto found = patterns.head.search(ev.log, scratch);
  if (!found.matched || scratch.captures.size() < 3) return;
  ev.set(static_field::status, scratch.captures[0]);
  auto category = scratch.captures[1].substr(0, category_bytes_max);
  auto id = scratch.captures[2];
  ev.set(static_field::id, id);

  auto rest = text_after(ev.log, found.r, ' ');
  found = patterns.addresses.search(rest, scratch);
  if (!found.matched || scratch.captures.size() < 4) return;
  ev.set(static_field::srcip, scratch.captures[0]);
  ev.set(static_field::srcport, scratch.captures[1]);
  ev.set(static_field::dstip, scratch.captures[2]);
  ev.set(static_field::dstport, scratch.captures[3]);

  rest = text_after(rest, found.r, ' ');
  auto blank = rest.find(' ');
  std::string_view behind_blank = blank == npos ? std::string_view() : rest.substr(blank + 1);
  if (behind_blank.substr(0, 6) == "proto=") {
    auto protocol = behind_blank.substr(6);
    ev.set(static_field::protocol, protocol.substr(0, std::min(protocol.find('/'), protocol_bytes_max)));
  }

  if (category == "32") {
    ev.type = event_type::ids;
    return;
  }
  sonicwall_by_id(ev, id);
  if (ev.type != event_type::squid || blank == npos) return;
  if (!patterns.page.search(behind_blank, scratch).matched || scratch.captures.size() < 3) return;
  ev.set(static_field::id, scratch.captures[0]);
  ev.set(static_field::url, memory.join(scratch.captures[1], scratch.captures[2]));
}

} // namespace picket::engine

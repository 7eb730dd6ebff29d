#include "protocol/enrollment/keys.hpp"

#include "protocol/agent/record.hpp"
#include "protocol/enrollment/address.hpp"
#include "protocol/enrollment/names.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <openssl/evp.h>

namespace picket::protocol {

namespace {

constexpr std::size_t longest_password = 4'094;
constexpr std::size_t longest_field = 127;

bool is_control_char(char c) noexcept { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

key_line malformed(std::string_view what) noexcept {
  key_line line;
  line.kind = key_line_kind::malformed;
  line.fault = what;
  return line;
}

} // namespace

std::string make_agent_key(std::span<const std::byte, agent_key_random_bytes> random) {
  return to_hex(random);
}

std::string agent_key_hash(std::string_view id, std::string_view name, std::string_view key) {
  std::string joined{id};
  joined.append(name).append(key);
  std::array<std::byte, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(joined.data(), joined.size(), reinterpret_cast<unsigned char*>(digest.data()), &size, EVP_sha1(),
             nullptr);
  return to_hex(byte_view{digest}.first(size));
}

result<std::string> parse_password_file(std::string_view content) {
  auto end = content.find('\n');
  auto line = content.substr(0, end);
  auto with_end = line.size() + (end == std::string_view::npos ? 0 : 1);
  if (with_end < 3)
    return fail(errc::invalid_argument, "the password is too short", "",
                "Write a password of at least three characters into the first line.");
  if (line.size() > longest_password)
    return fail(errc::invalid_argument, "the password is longer than 4094 characters", "",
                "Choose a shorter one.");
  return std::string{line};
}

key_line parse_key_line(std::string_view line) noexcept {
  while (!line.empty() && line.back() == '\r')
    line.remove_suffix(1);
  key_line parsed;
  if (line.empty() || line[0] == '#' || line[0] == ' ') return parsed;
  std::array<std::string_view, 4> fields;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    auto space = line.find(' ');
    fields[i] = line.substr(0, space);
    if (fields[i].empty()) return malformed("four fields with one blank between them are needed");
    if (fields[i].size() > longest_field) return malformed("a field has more than 127 characters");
    if (std::any_of(fields[i].begin(), fields[i].end(), is_control_char))
      return malformed("a field has a control character");
    line.remove_prefix(space == std::string_view::npos ? line.size() : space + 1);
  }
  auto id = agent_id_of(fields[0]);
  if (!id) return malformed("the id is not a number of three to eight digits above 000");
  parsed.id = *id;
  parsed.kind = key_line_kind::agent;
  if (fields[1][0] == '!' || fields[1][0] == '#') {
    parsed.kind = key_line_kind::removed;
    fields[1].remove_prefix(1);
  }
  parsed.name = fields[1];
  parsed.address = fields[2];
  parsed.key = fields[3];
  if (parsed.kind == key_line_kind::removed) return parsed;
  if (!is_valid_agent_name(parsed.name)) return malformed("the name is not 2 to 128 of A-Z a-z 0-9 - _ .");
  if (!parse_agent_address(parsed.address)) return malformed("the address is not valid");
  if (!is_valid_agent_key(parsed.key)) return malformed("the key is not 2 to 127 of A-Z a-z 0-9 - _ .");
  return parsed;
}

std::string format_key_line(agent_id id, std::string_view name, std::string_view address,
                            std::string_view key, bool removed) {
  auto line = to_text(id) + (removed ? " !" : " ");
  return line.append(name).append(" ").append(address).append(" ").append(key);
}

key_file parse_key_file(std::string_view content) {
  key_file file;
  std::set<agent_id> ids;
  std::set<std::string> names;
  for (std::size_t number = 1; !content.empty(); ++number) {
    auto end = content.find('\n');
    auto line = parse_key_line(content.substr(0, end));
    content.remove_prefix(end == std::string_view::npos ? content.size() : end + 1);
    if (line.kind == key_line_kind::comment) continue;
    key_file_fault fault;
    fault.line = number;
    if (line.kind == key_line_kind::malformed) {
      fault.what = line.fault;
    } else if (!ids.insert(line.id).second) {
      fault.what = "the id " + to_text(line.id) + " stands twice";
    } else if (line.kind == key_line_kind::agent && !names.insert(std::string{line.name}).second) {
      fault.what = "the name '" + std::string{line.name} + "' stands twice";
    }
    if (!fault.what.empty()) {
      file.faults.push_back(std::move(fault));
      continue;
    }
    key_file_entry entry;
    entry.line = number;
    entry.id = line.id;
    entry.name = line.name;
    auto address = parse_agent_address(line.address);
    entry.address = address ? to_text(*address) : std::string{line.address};
    entry.key = line.key;
    entry.removed = line.kind == key_line_kind::removed;
    file.entries.push_back(std::move(entry));
  }
  return file;
}

} // namespace picket::protocol

#include "protocol/enrollment/request.hpp"

#include "protocol/enrollment/address.hpp"
#include "protocol/enrollment/names.hpp"

#include <openssl/crypto.h>

namespace picket::protocol {

namespace {

constexpr std::string_view password_mark = "OSSEC PASS: ";
constexpr std::string_view name_mark = "OSSEC A:'";
constexpr std::size_t longest_version = 2'048;
constexpr std::size_t longest_address = 46;
constexpr std::size_t longest_key_hash = 40;

bool starts_with(std::string_view text, std::string_view word) noexcept {
  return text.substr(0, word.size()) == word;
}

/// Walks over the line once; each field is tested for once, where the one before ended.
class request_parser {
public:
  explicit request_parser(std::string_view line) noexcept
      : line_(line) {}

  tl::expected<enrollment_request, enrollment_error> parse() noexcept {
    if (line_.size() >= max_enrollment_request_bytes) return fault(enrollment_errc::too_long, "", {}, 0);
    enrollment_request request;
    if (starts_with(line_, password_mark)) {
      auto end = line_.find(std::string_view{" OSSEC A:'"}, password_mark.size());
      if (end == std::string_view::npos)
        return fault(enrollment_errc::no_agent_name, "PASS", {}, line_.size());
      request.password = line_.substr(password_mark.size(), end - password_mark.size());
      if (request.password.empty())
        return fault(enrollment_errc::empty_field, "PASS", {}, password_mark.size());
      at_ = end + 1;
    }
    if (!starts_with(line_.substr(at_), name_mark)) return fault(enrollment_errc::no_agent_name, "", {}, at_);
    at_ += name_mark.size();
    if (auto got = value("A", line_.size(), request.name); !got) return tl::unexpected(got.error());
    if (!is_valid_agent_name(request.name)) return fault(enrollment_errc::bad_agent_name, "A", request.name);
    if (auto got = optional_fields(request); !got) return tl::unexpected(got.error());
    request.ignored = line_.substr(at_);
    return request;
  }

private:
  using step = tl::expected<void, enrollment_error>;

  tl::unexpected<enrollment_error> fault(enrollment_errc code, std::string_view field, std::string_view value,
                                         std::size_t offset) const noexcept {
    enrollment_error err;
    err.code = code;
    err.field = field;
    err.value = value;
    err.offset = offset;
    return tl::unexpected(err);
  }
  /// Points at the beginning of the value.
  tl::unexpected<enrollment_error> fault(enrollment_errc code, std::string_view field,
                                         std::string_view value) const noexcept {
    return fault(code, field, value, static_cast<std::size_t>(value.data() - line_.data()));
  }

  /// Reads up to the closing quote.
  step value(std::string_view field, std::size_t longest, std::string_view& to) noexcept {
    auto rest = line_.substr(at_);
    auto end = rest.substr(0, longest + 1).find('\'');
    if (end == std::string_view::npos) return fault(enrollment_errc::unclosed_field, field, {}, at_);
    to = rest.substr(0, end);
    if (to.empty() && field != "A") return fault(enrollment_errc::empty_field, field, to, at_);
    at_ += end + 1;
    return {};
  }

  step optional_field(std::string_view mark, std::string_view field, std::size_t longest,
                      std::string_view& to) noexcept {
    if (!starts_with(line_.substr(at_), mark)) return {};
    at_ += mark.size();
    return value(field, longest, to);
  }

  step optional_fields(enrollment_request& request) noexcept {
    if (auto got = optional_field(" V:'", "V", longest_version, request.version); !got) return got;
    if (auto got = optional_field(" G:'", "G", line_.size(), request.groups); !got) return got;
    if (!request.groups.empty() && group_syntax_fault(request.groups))
      return fault(enrollment_errc::bad_groups, "G", request.groups);
    if (auto got = optional_field(" IP:'", "IP", longest_address, request.address); !got) return got;
    if (!request.address.empty() && !request.wants_source_address() && !parse_agent_address(request.address))
      return fault(enrollment_errc::bad_address, "IP", request.address);
    return optional_field(" K:'", "K", longest_key_hash, request.key_hash);
  }

  std::string_view line_;
  std::size_t at_ = 0;
};

} // namespace

std::string_view name_of(enrollment_errc code) noexcept {
  switch (code) {
  case enrollment_errc::too_long:
    return "too_long";
  case enrollment_errc::no_agent_name:
    return "no_agent_name";
  case enrollment_errc::unclosed_field:
    return "unclosed_field";
  case enrollment_errc::empty_field:
    return "empty_field";
  case enrollment_errc::bad_agent_name:
    return "bad_agent_name";
  case enrollment_errc::bad_groups:
    return "bad_groups";
  case enrollment_errc::bad_address:
    return "bad_address";
  }
  return "unknown";
}

std::string to_string(const enrollment_error& err) {
  std::string text{name_of(err.code)};
  if (!err.field.empty()) text.append(" in field ").append(err.field);
  return text + " at byte " + std::to_string(err.offset);
}

tl::expected<enrollment_request, enrollment_error> parse_enrollment_request(std::string_view line) noexcept {
  return request_parser{line}.parse();
}

std::string format_enrollment_request(const enrollment_request& request) {
  std::string line;
  if (!request.password.empty()) line.append(password_mark).append(request.password).append(" ");
  line.append(name_mark).append(request.name).append("'");
  auto field = [&line](std::string_view mark, std::string_view value) {
    if (!value.empty()) line.append(mark).append(value).append("'");
  };
  field(" V:'", request.version);
  field(" G:'", request.groups);
  field(" IP:'", request.address);
  field(" K:'", request.key_hash);
  return line.append(request.ignored);
}

std::optional<std::string_view> strip_password(std::string_view line, std::string_view password) noexcept {
  if (!starts_with(line, password_mark)) return std::nullopt;
  line.remove_prefix(password_mark.size());
  if (line.size() <= password.size()) return std::nullopt;
  bool same = CRYPTO_memcmp(line.data(), password.data(), password.size()) == 0;
  if (!same || line[password.size()] != ' ') return std::nullopt;
  return line.substr(password.size() + 1);
}

} // namespace picket::protocol

#include "cluster-tests/agentsim/simulator.hpp"

#include "base/time.hpp"
#include "cluster-tests/agentsim/sim_connection.hpp"
#include "protocol/enrollment/address.hpp"
#include "protocol/enrollment/keys.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <set>
#include <sstream>

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

namespace picket::agentsim {

namespace {

constexpr std::uint64_t most_prebuilt_bytes = 2ULL << 30U;

std::string number_text(std::size_t number) {
  auto digits = std::to_string(number);
  return digits.size() < 3 ? std::string(3 - digits.size(), '0') + digits : digits;
}

void allow_many_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

} // namespace

result<void> simulator::prepare() {
  allow_many_files();
  for (const auto& file : options_.files)
    if (auto added = lines_.add_file(file); !added) return added;
  if (lines_.lines.empty())
    lines_.add_line("/var/log/picket-agentsim.log", "picket-agentsim: a line of a simulated agent");
  lines_wanted_ = options_.lines_per_agent;
  if (lines_wanted_ == 0 && options_.duration_ms > 0) lines_wanted_ = UINT64_MAX; // until the time is over
  if (lines_wanted_ == 0 && !options_.files.empty()) lines_wanted_ = lines_.lines.size();
  if (lines_wanted_ == UINT64_MAX && options_.prebuilt)
    return fail(errc::invalid_argument, "records can be sealed beforehand only for a known number of lines",
                "--prebuilt", "Give --lines.");
  if (auto resolved = resolve_addresses(); !resolved) return resolved;
  if (auto loaded = load_keys(); !loaded) return loaded;
  auto known = identities_.size();
  if (auto enrolled = enroll_missing(); !enrolled) return enrolled;
  enrolled_ = identities_.size() - known;
  if (!options_.keys_file.empty() && enrolled_ > 0) return save_keys();
  return {};
}

result<void> simulator::resolve_addresses() {
  for (const auto& server : options_.servers) {
    auto address = resolve(server);
    if (!address) return tl::unexpected(address.error());
    servers_.push_back(*address);
  }
  if (servers_.empty()) return fail(errc::invalid_argument, "no server is named");
  if (!options_.source.empty())
    if (auto source = source_address(options_.source, 0); !source) return tl::unexpected(source.error());
  return {};
}

result<void> simulator::load_keys() {
  if (options_.keys_file.empty()) return {};
  std::ifstream file{options_.keys_file, std::ios::binary};
  if (!file) return {}; // it will be made
  std::ostringstream text;
  text << file.rdbuf();
  auto parsed = protocol::parse_key_file(text.str());
  if (!parsed.faults.empty())
    return fail(errc::corrupt, parsed.faults[0].what,
                options_.keys_file + ":" + std::to_string(parsed.faults[0].line));
  for (const auto& entry : parsed.entries) {
    if (entry.removed || identities_.size() >= options_.agents) continue;
    agent_identity who;
    who.id = to_text(entry.id);
    who.name = entry.name;
    who.address = entry.address;
    who.key = entry.key;
    identities_.push_back(std::move(who));
  }
  return {};
}

result<void> simulator::save_keys() const {
  std::string text;
  for (const auto& who : identities_)
    text += who.id + " " + who.name + " " + who.address + " " + who.key + "\n";
  auto fresh = options_.keys_file + ".new";
  file_descriptor fd{::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
  bool written = fd && ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (!written || ::rename(fresh.c_str(), options_.keys_file.c_str()) != 0)
    return fail(errc::io, "cannot write the keys: " + system_text(errno), options_.keys_file);
  return {};
}

std::string simulator::enrollment_line(const std::string& name) const {
  protocol::enrollment_request request;
  request.password = options_.password;
  request.name = name;
  request.version = options_.agent.version;
  request.groups = options_.groups;
  if (!options_.source.empty()) request.address = "src";
  return protocol::format_enrollment_request(request) + "\n";
}

/// Keeps up to `parallel_enrollments` exchanges under way until every agent has a key.
result<void> simulator::enroll_missing() {
  if (identities_.size() >= options_.agents) return {};
  auto server = resolve(options_.enroll);
  if (!server) return tl::unexpected(server.error());
  std::set<std::string> taken;
  for (const auto& who : identities_)
    taken.insert(who.name);

  struct running {
    std::unique_ptr<enrollment_exchange> exchange;
    enrollment_exchange::wants want = enrollment_exchange::wants::write;
    std::string name;
  };
  tls_client_context context;
  std::vector<running> all;
  const auto deadline_ms = steady_clock_ms() + options_.enrollment_timeout_ms;
  std::size_t number = 0;
  while (identities_.size() < options_.agents) {
    while (all.size() < options_.parallel_enrollments && identities_.size() + all.size() < options_.agents) {
      auto name = options_.name_prefix + number_text(++number);
      if (taken.count(name) > 0) continue;
      socket_address source;
      const auto index = identities_.size() + all.size();
      if (!options_.source.empty())
        source = source_address(options_.source, static_cast<std::uint32_t>(index)).value();
      running one;
      one.name = name;
      auto begun = enrollment_exchange::begin(context, *server, options_.source.empty() ? nullptr : &source,
                                              enrollment_line(name));
      if (!begun) return tl::unexpected(begun.error());
      one.exchange = std::move(*begun);
      all.push_back(std::move(one));
    }
    std::vector<pollfd> ready;
    for (const auto& one : all)
      ready.push_back({one.exchange->fd(),
                       static_cast<short>(one.want == enrollment_exchange::wants::read ? POLLIN : POLLOUT),
                       0});
    auto left = deadline_ms - steady_clock_ms();
    if (left <= 0) return fail(errc::timeout, "not all agents were enrolled in time", options_.enroll);
    poll(ready.data(), ready.size(), static_cast<int>(std::min<std::int64_t>(left, 1'000)));
    std::vector<running> next;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (ready[i].revents != 0) all[i].want = all[i].exchange->step();
      if (all[i].want != enrollment_exchange::wants::nothing) {
        next.push_back(std::move(all[i]));
        continue;
      }
      const auto& answer = all[i].exchange->answer();
      if (!answer) return tl::unexpected(answer.error());
      auto who = identity_of(*answer);
      if (!who)
        return fail(errc::invalid_argument,
                    "the enrollment of '" + all[i].name + "' was refused: " + who.error());
      identities_.push_back(std::move(*who));
    }
    all = std::move(next);
  }
  return {};
}

void simulator::make_agents() {
  connections_.clear();
  hungry_.clear();
  // Above all pairs of earlier runs, as a real agent's stored pair is.
  auto options = options_.agent;
  options.servers = servers_.size();
  if (options.first_counters == protocol::counter_pair{})
    options.first_counters.global = static_cast<std::uint32_t>(wall_clock_ms() / 1'000);
  std::uint64_t prebuilt_bytes = 0;
  for (std::size_t i = 0; i < identities_.size(); ++i) {
    // Registered with one address, an agent is known by it and sends no id.
    auto address = protocol::parse_agent_address(identities_[i].address);
    options.sends_id = !address || !address->is_single_v4();
    connections_.push_back(std::make_unique<connection>(i, identities_[i], options));
    if (!options_.prebuilt) continue;
    auto& one = *connections_.back();
    for (std::uint64_t n = 0; n < lines_wanted_ && prebuilt_bytes < most_prebuilt_bytes; ++n) {
      auto suffix = options_.number ? number_suffix(options_.run, identities_[i].id, n + 1) : std::string{};
      auto before = one.prebuilt.size();
      one.agent.seal_beforehand(lines_.message(n, suffix), one.prebuilt);
      one.prebuilt_ends.push_back(static_cast<std::uint32_t>(one.prebuilt.size()));
      prebuilt_bytes += one.prebuilt.size() - before;
    }
  }
  if (!options_.prebuilt) return;
  for (const auto& one : connections_)
    lines_wanted_ = std::min<std::uint64_t>(lines_wanted_, one->prebuilt_ends.size());
}

} // namespace picket::agentsim

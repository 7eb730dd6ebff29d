#include "cluster-tests/harness/node_process.hpp"

#include <csignal>
#include <fstream>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <httplib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actors/api/token.hpp"
#include "config/schema.hpp"
#include "picket_paths.hpp"

namespace picket::harness {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::milliseconds poll_every{5};

std::string slurp(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

/// `key=value` of a log line; values of addresses are never quoted.
std::string field_of(const std::string& line, const std::string& key) {
  auto from = line.find(" " + key + "=");
  if (from == std::string::npos) return {};
  from += key.size() + 2;
  return line.substr(from, line.find_first_of(" \n", from) - from);
}

std::vector<nlohmann::json> json_lines(const fs::path& file) {
  std::vector<nlohmann::json> all;
  std::ifstream in{file};
  std::string line;
  while (std::getline(in, line)) {
    if (in.eof()) break; // not whole yet
    all.push_back(nlohmann::json::parse(line, nullptr, false));
  }
  return all;
}

std::pair<std::string, int> host_and_port(const std::string& address) {
  auto colon = address.rfind(':');
  return {address.substr(0, colon), std::stoi(address.substr(colon + 1))};
}

} // namespace

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
  auto until = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(poll_every);
  }
  return true;
}

node_process::node_process(fs::path directory, settings with)
    : directory_{std::move(directory)}
    , settings_{std::move(with)} {
  settings ours{{"ingest.listen", "127.0.0.1:0"}, {"enrollment.listen", "127.0.0.1:0"},
                {"api.listen", "127.0.0.1:0"},    {"health.listen", "127.0.0.1:0"},
                {"node.name", "node-under-test"}, {"journal.archives_json", "yes"}};
  settings_.merge(ours);
  fs::create_directories(directory_);
}

node_process::~node_process() {
  if (pid_ <= 0) return;
  thaw();
  kill();
}

void node_process::spawn() {
  std::vector<std::string> environment;
  for (const auto& [key, value] : settings_)
    environment.push_back(config::environment_name(key) + "=" + value);
  std::string faulty;
  for (const auto& [name, value] : faults)
    faulty += (faulty.empty() ? "PICKET_FAULTS=" : ",") + name + "=" + value;
  if (!faulty.empty()) environment.push_back(faulty);
  for (auto name : {"PATH", "HOME", "TZ", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"})
    if (const char* value = std::getenv(name)) environment.push_back(std::string{name} + "=" + value);
  std::vector<char*> pointers;
  for (auto& one : environment)
    pointers.push_back(one.data());
  pointers.push_back(nullptr);
  auto log_file = (directory_ / "picketd.log").string();
  auto where = directory_.string();
  fs::remove(log_file); // the words of an earlier start must not be taken for this one's
  if (pid_ > 0 && !running()) ::waitpid(pid_, nullptr, 0); // it died by itself
  pid_ = ::fork();
  if (pid_ != 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL); // a test that dies leaves no node behind
  int out = ::open(log_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  ::dup2(out, 1);
  ::dup2(out, 2);
  char program[] = PICKET_BINARY_DIR "/picketd";
  char* arguments[] = {program, nullptr};
  if (::chdir(where.c_str()) == 0) ::execve(program, arguments, pointers.data());
  ::_exit(126);
}

result<void> node_process::start() {
  spawn();
  std::string line;
  bool serves = eventually(
      [&] {
        auto text = log();
        auto at = text.find("event=node-started");
        auto end = at == std::string::npos ? at : text.find('\n', at);
        if (end != std::string::npos) line = text.substr(at, end - at);
        return !line.empty() || !running();
      },
      std::chrono::seconds{60});
  if (!serves || line.empty())
    return fail(errc::not_running, "picketd does not serve: " + log(), directory_.string());
  agents_ = field_of(line, "agents");
  enrollment_ = field_of(line, "enrollment");
  api_ = field_of(line, "api");
  health_ = field_of(line, "health");
  agent_check_ = field_of(line, "agent_check");
  return {};
}

int node_process::start_and_fail() {
  spawn();
  return wait_exit(std::chrono::seconds{30});
}

int node_process::wait_exit(std::chrono::milliseconds limit) {
  int status = 0;
  bool ended = eventually([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; }, limit);
  if (!ended) return -1;
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int node_process::stop() {
  if (pid_ <= 0) return -1;
  ::kill(pid_, SIGTERM);
  return wait_exit(std::chrono::seconds{90});
}

void node_process::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void node_process::freeze() {
  if (pid_ > 0) ::kill(pid_, SIGSTOP);
}

void node_process::thaw() {
  if (pid_ > 0) ::kill(pid_, SIGCONT);
}

bool node_process::running() const {
  siginfo_t info{};
  return pid_ > 0 && ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0
         && info.si_pid == 0;
}

agentsim::socket_address node_process::address_of(const std::string& text) {
  return agentsim::resolve(text).value();
}

fs::path node_process::archives_file() const {
  return directory_ / "data" / "logs" / "archives" / "archives.json";
}
fs::path node_process::alerts_file() const { return directory_ / "data" / "logs" / "alerts" / "alerts.json"; }
std::string node_process::log() const { return slurp(directory_ / "picketd.log"); }
std::vector<nlohmann::json> node_process::alerts() const { return json_lines(alerts_file()); }
std::vector<nlohmann::json> node_process::archives() const { return json_lines(archives_file()); }

result<nlohmann::json> node_process::api(const std::string& method, const std::string& path,
                                         const std::string& body) const {
  auto token = api::read_token((directory_ / "data" / "api.token").string());
  if (!token) return tl::unexpected<error>(token.error());
  auto [host, port] = host_and_port(api_);
  httplib::SSLClient client{host, port};
  client.enable_server_certificate_verification(false);
  client.set_read_timeout(10);
  httplib::Request request;
  request.method = method;
  request.path = path;
  request.body = body;
  request.headers = {{"Authorization", "Bearer " + *token}, {"Content-Type", "application/json"}};
  auto answer = client.send(request);
  if (!answer) return fail(errc::io, "the admin endpoint does not answer", api_);
  auto parsed = nlohmann::json::parse(answer->body, nullptr, false);
  if (parsed.is_discarded()) parsed = answer->body;
  return parsed;
}

result<void> node_process::set_fault(const std::string& name, const std::string& value) const {
  auto path = "/picket/faults/" + name;
  auto answer =
      value == "off" ? api("DELETE", path) : api("PUT", path, nlohmann::json{{"value", value}}.dump());
  if (!answer) return tl::unexpected<error>(answer.error());
  if (answer->is_object() && answer->contains("data")) return {};
  return fail(errc::fault_unknown, "the fault could not be set: " + answer->dump(), name);
}

double node_process::metric(const std::string& series) const {
  auto [host, port] = host_and_port(health_);
  httplib::Client client{host, port};
  auto page = client.Get("/metrics");
  if (!page) return 0;
  auto at = page->body.find("\n" + series + " ");
  return at == std::string::npos ? 0 : std::strtod(page->body.c_str() + at + series.size() + 2, nullptr);
}

int node_process::health(const std::string& path) const {
  auto [host, port] = host_and_port(health_);
  httplib::Client client{host, port};
  auto page = client.Get(path);
  return page ? page->status : 0;
}

nlohmann::json node_process::agent(const std::string& id) const {
  auto answer = api("GET", "/agents?agents_list=" + id);
  if (!answer || !answer->is_object()) return nullptr;
  auto& items = (*answer)["data"]["affected_items"];
  return items.is_array() && !items.empty() ? items[0] : nlohmann::json{};
}

} // namespace picket::harness

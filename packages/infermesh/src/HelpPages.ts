/**
 * The pages of `--help` by the words of the command. Written by `node scripts/command-pages.ts` out of the flags' definitions.
 *
 * @since 0.1.0
 */

/**
 * The pages, by the words behind `infermesh`.
 *
 * @category constants
 * @since 0.1.0
 */
export const pages: { readonly [words: string]: string } = {
  "": `DESCRIPTION
  Run large amounts of LLM work: quotas kept, failures typed, nothing paid for lost

USAGE
  infermesh <subcommand> [flags]

GLOBAL FLAGS
  --help, -h                                                          Show help information
  --version, -v                                                       Show version information
  --wizard                                                            Start wizard mode for a command
  --completions <bash|zsh|fish|powershell|sh|pwsh>                    Print shell completion script (choices: bash, zsh, fish, powershell, sh, pwsh)
  --log-level <all|trace|debug|info|warn|warning|error|fatal|none>    Sets the minimum log level (choices: all, trace, debug, info, warn, warning, error, fatal, none)
  --quiet                                                             No progress and no table; errors are still said
  --json                                                              Say everything on standard error as JSON, an object a line

SUBCOMMANDS
  generate      Generate text for one prompt or for every row of a file
  embed         Embed one text or every row of a file
  transcribe    Transcribe audio files
  plan          Say what a job would cost, what would hold it up and when it would be finished; nothing is sent
  status        Say how a job is: what is settled, failed, spent, and how fast
  report        Write a job as one page of HTML: throughput, latency, failures, cost
  models        List models whose price is known, in USD per million tokens
  bench         Measure how fast a model answers, and find the setting to take
  simulate      Start simulated providers and print their base URLs
EXAMPLES
  infermesh generate --model openai/gpt-4.1-mini --prompt "Say hello."

  # A file of rows; given again, it goes on where it was
  infermesh generate --model openai/gpt-4.1-mini --input-jsonl in.jsonl --output-jsonl out.jsonl --resume

  # Completion of words in this shell
  source <(infermesh --completions bash)`,
  generate: `DESCRIPTION
  Generate text for one prompt or for every row of a file

USAGE
  infermesh generate [flags] [<operand...>]

ARGUMENTS
  operand... string    Not taken: a prompt is given with --prompt (optional)

FLAGS
  --model PROVIDER/MODEL             The model: openai/gpt-4.1-mini, hosted_vllm/llama-3
  --api-base URL                     Base URL of a server; repeated, the replicas are labelled replica-1, replica-2, …
  --deployments-toml FILE            Deployments by label, with model, api_base, api_key_env, weight, limits; TOML, or JSON or YAML by the file's ending
  --fallback PROVIDER/MODEL          Model to ask when the one before it fails; repeatable. One of the same provider is asked at the same --api-base
  --routing-strategy choice          How a deployment is chosen among several; default simple-shuffle (choices: simple-shuffle, least-busy, latency-based-routing, usage-based-routing, usage-based-routing-v2, cost-based-routing, round-robin, ordered, sticky)
  --env-file FILE                    File of KEY=value lines; the environment itself wins
  --prompt TEXT                      One prompt, instead of a file
  --input-jsonl FILE                 File of rows {"prompt": …}, {"messages": […]} or {"responses_input": …}; standard input when absent
  --output-jsonl FILE                File for the results; standard output when absent
  --ordered                          Write results in the order of the input instead of that of completion
  --limit N                          Ask so many rows at most; --resume goes on with the others
  --shuffle SEED                     Take the rows in a random order, the same for the same seed; the input is held in memory
  --mapper MODULE#FUNCTION           Function that makes { input, metadata?, options? } of a row: prompts.ts#build, prompts.js
  --dry-run                          Tell what would be asked, with the requests of the first rows; nothing is sent or written
  --overwrite                        Throw away an output that exists, and its job
  --resume                           Go on with the output's job, start it if there is none; failed rows stay as they are
  --retry-failed [=REASON,…]         Resume, and ask failed rows again: all, or those with a reason, as in --retry-failed=RateLimitError,TimedOut
  --extend                           Resume, with rows that the input did not have before
  --force                            Resume although settings, input or output are not what they were
  --checkpoint-dir FOLDER            Folder for the job's ledger; default $INFERMESH_CHECKPOINT_DIR, else beside the output
  --max-parallel-requests integer    Requests in flight at once; default 128
  --rpm integer                      Requests per minute
  --tpm integer                      Tokens per minute
  --rpd integer                      Requests per day
  --tpd integer                      Tokens per day
  --max-request-burst integer        Most requests at one instant; the rest of --rpm is spread evenly
  --max-token-burst integer          Most tokens at one instant; the rest of --tpm is spread evenly
  --budget-usd USD                   Most that this run may spend, in US dollars; rows it is not enough for are asked by the next --resume
  --max-retries integer              Attempts after the first, fallbacks included; default 3
  --timeout TIME                     Longest time for one attempt: seconds, or '30 seconds'; default 10 minutes
  --deadline TIME                    Longest time for one row with its waits and retries; default none
  --endpoint choice                  The provider's endpoint; default chat_completion (choices: chat_completion, text_completion, responses)
  --temperature number               Sampling temperature, 0 to 2
  --top-p number                     Nucleus sampling, 0 to 1
  --max-tokens integer               Most tokens of an answer
  --stop TEXT                        Text at which the answer ends; repeatable
  --seed integer                     Sampling seed
  --system TEXT                      System message before every row that has none
  --schema FILE                      JSON Schema file that answers must fit; they are parsed by it
  --parse-json                       Parse answers as JSON into output_parsed, null where it is none; nothing is asked for or checked
  --extra-body JSON                  JSON object of further fields for the request body

GLOBAL FLAGS
  --help, -h                                                          Show help information
  --version, -v                                                       Show version information
  --wizard                                                            Start wizard mode for a command
  --completions <bash|zsh|fish|powershell|sh|pwsh>                    Print shell completion script (choices: bash, zsh, fish, powershell, sh, pwsh)
  --log-level <all|trace|debug|info|warn|warning|error|fatal|none>    Sets the minimum log level (choices: all, trace, debug, info, warn, warning, error, fatal, none)
  --quiet                                                             No progress and no table; errors are still said
  --json                                                              Say everything on standard error as JSON, an object a line

EXAMPLES
  infermesh generate --model openai/gpt-4.1-mini --prompt "Say hello."

  # A file of rows, at most 500 requests a minute and five dollars
  infermesh generate --model openai/gpt-4.1-mini --input-jsonl in.jsonl --output-jsonl out.jsonl --rpm 500 --budget-usd 5

  # Go on after a Ctrl-C or a crash, and ask again what failed for those reasons
  infermesh generate --model openai/gpt-4.1-mini --input-jsonl in.jsonl --output-jsonl out.jsonl --rpm 500 --retry-failed=RateLimitError,TimedOut

  # Two replicas of one's own server
  infermesh generate --model hosted_vllm/llama-3 --api-base http://gpu0:8000/v1 --api-base http://gpu1:8000/v1 < in.jsonl > out.jsonl`,
  embed: `DESCRIPTION
  Embed one text or every row of a file

USAGE
  infermesh embed [flags] [<operand...>]

ARGUMENTS
  operand... string    Not taken: a text is given with --text (optional)

FLAGS
  --model PROVIDER/MODEL              The model: openai/gpt-4.1-mini, hosted_vllm/llama-3
  --api-base URL                      Base URL of a server; repeated, the replicas are labelled replica-1, replica-2, …
  --deployments-toml FILE             Deployments by label, with model, api_base, api_key_env, weight, limits; TOML, or JSON or YAML by the file's ending
  --fallback PROVIDER/MODEL           Model to ask when the one before it fails; repeatable. One of the same provider is asked at the same --api-base
  --routing-strategy choice           How a deployment is chosen among several; default simple-shuffle (choices: simple-shuffle, least-busy, latency-based-routing, usage-based-routing, usage-based-routing-v2, cost-based-routing, round-robin, ordered, sticky)
  --env-file FILE                     File of KEY=value lines; the environment itself wins
  --input-jsonl FILE                  File of rows {"text": …}; standard input when absent
  --output-jsonl FILE                 File for the results; standard output when absent
  --ordered                           Write results in the order of the input instead of that of completion
  --limit N                           Ask so many rows at most; --resume goes on with the others
  --shuffle SEED                      Take the rows in a random order, the same for the same seed; the input is held in memory
  --mapper MODULE#FUNCTION            Function that makes { input, metadata?, options? } of a row: prompts.ts#build, prompts.js
  --dry-run                           Tell what would be asked, with the requests of the first rows; nothing is sent or written
  --overwrite                         Throw away an output that exists, and its job
  --resume                            Go on with the output's job, start it if there is none; failed rows stay as they are
  --retry-failed [=REASON,…]          Resume, and ask failed rows again: all, or those with a reason, as in --retry-failed=RateLimitError,TimedOut
  --extend                            Resume, with rows that the input did not have before
  --force                             Resume although settings, input or output are not what they were
  --checkpoint-dir FOLDER             Folder for the job's ledger; default $INFERMESH_CHECKPOINT_DIR, else beside the output
  --max-parallel-requests integer     Requests in flight at once; default 128
  --rpm integer                       Requests per minute
  --tpm integer                       Tokens per minute
  --rpd integer                       Requests per day
  --tpd integer                       Tokens per day
  --max-request-burst integer         Most requests at one instant; the rest of --rpm is spread evenly
  --max-token-burst integer           Most tokens at one instant; the rest of --tpm is spread evenly
  --budget-usd USD                    Most that this run may spend, in US dollars; rows it is not enough for are asked by the next --resume
  --max-retries integer               Attempts after the first, fallbacks included; default 3
  --timeout TIME                      Longest time for one attempt: seconds, or '30 seconds'; default 10 minutes
  --deadline TIME                     Longest time for one row with its waits and retries; default none
  --text TEXT                         One text, instead of a file
  --no-vectors                        Leave the vectors out of the rows; their length stays
  --output-npy FILE                   Put the vectors into a NumPy matrix instead of the rows, which say which row of it is whose
  --dimensions integer                Length of the vectors, for models that can shorten them
  --micro-batch-size integer          Most texts of one request; default 32
  --max-tokens-per-request integer    Most estimated tokens of one request; default 270000
  --extra-body JSON                   JSON object of further fields for the request body

GLOBAL FLAGS
  --help, -h                                                          Show help information
  --version, -v                                                       Show version information
  --wizard                                                            Start wizard mode for a command
  --completions <bash|zsh|fish|powershell|sh|pwsh>                    Print shell completion script (choices: bash, zsh, fish, powershell, sh, pwsh)
  --log-level <all|trace|debug|info|warn|warning|error|fatal|none>    Sets the minimum log level (choices: all, trace, debug, info, warn, warning, error, fatal, none)
  --quiet                                                             No progress and no table; errors are still said
  --json                                                              Say everything on standard error as JSON, an object a line

EXAMPLES
  infermesh embed --model openai/text-embedding-3-small --text "hello"

  # A file of rows into a matrix, numpy.load opens it
  infermesh embed --model openai/text-embedding-3-small --input-jsonl in.jsonl --output-jsonl rows.jsonl --output-npy vectors.npy`,
  transcribe: `DESCRIPTION
  Transcribe audio files

USAGE
  infermesh transcribe [flags] [<path...>]

ARGUMENTS
  path... string    Audio files, instead of a file of rows (optional)

FLAGS
  --model PROVIDER/MODEL             The model: openai/gpt-4.1-mini, hosted_vllm/llama-3
  --api-base URL                     Base URL of a server; repeated, the replicas are labelled replica-1, replica-2, …
  --deployments-toml FILE            Deployments by label, with model, api_base, api_key_env, weight, limits; TOML, or JSON or YAML by the file's ending
  --fallback PROVIDER/MODEL          Model to ask when the one before it fails; repeatable. One of the same provider is asked at the same --api-base
  --routing-strategy choice          How a deployment is chosen among several; default simple-shuffle (choices: simple-shuffle, least-busy, latency-based-routing, usage-based-routing, usage-based-routing-v2, cost-based-routing, round-robin, ordered, sticky)
  --env-file FILE                    File of KEY=value lines; the environment itself wins
  --input-jsonl FILE                 File of rows {"path": …}; standard input when absent
  --output-jsonl FILE                File for the results; standard output when absent
  --ordered                          Write results in the order of the input instead of that of completion
  --limit N                          Ask so many rows at most; --resume goes on with the others
  --shuffle SEED                     Take the rows in a random order, the same for the same seed; the input is held in memory
  --mapper MODULE#FUNCTION           Function that makes { input, metadata?, options? } of a row: prompts.ts#build, prompts.js
  --dry-run                          Tell what would be asked, with the requests of the first rows; nothing is sent or written
  --overwrite                        Throw away an output that exists, and its job
  --resume                           Go on with the output's job, start it if there is none; failed rows stay as they are
  --retry-failed [=REASON,…]         Resume, and ask failed rows again: all, or those with a reason, as in --retry-failed=RateLimitError,TimedOut
  --extend                           Resume, with rows that the input did not have before
  --force                            Resume although settings, input or output are not what they were
  --checkpoint-dir FOLDER            Folder for the job's ledger; default $INFERMESH_CHECKPOINT_DIR, else beside the output
  --max-parallel-requests integer    Requests in flight at once; default 128
  --rpm integer                      Requests per minute
  --tpm integer                      Tokens per minute
  --rpd integer                      Requests per day
  --tpd integer                      Tokens per day
  --max-request-burst integer        Most requests at one instant; the rest of --rpm is spread evenly
  --max-token-burst integer          Most tokens at one instant; the rest of --tpm is spread evenly
  --budget-usd USD                   Most that this run may spend, in US dollars; rows it is not enough for are asked by the next --resume
  --max-retries integer              Attempts after the first, fallbacks included; default 3
  --timeout TIME                     Longest time for one attempt: seconds, or '30 seconds'; default 10 minutes
  --deadline TIME                    Longest time for one row with its waits and retries; default none
  --subtitles srt|vtt                Write a file of subtitles for each transcript, too, in this format; repeatable (choices: srt, vtt)
  --subtitles-dir FOLDER             Folder for subtitles; default that of --output-jsonl
  --language string                  Language of the audio, such as en; default found out by the model
  --prompt TEXT                      Text that goes before: names, style
  --temperature number               Sampling temperature, 0 to 1
  --response-format choice           What the provider is asked for; default json, or verbose_json for --subtitles (choices: json, text, verbose_json, srt, vtt)
  --extra-body JSON                  JSON object of further fields for the request body

GLOBAL FLAGS
  --help, -h                                                          Show help information
  --version, -v                                                       Show version information
  --wizard                                                            Start wizard mode for a command
  --completions <bash|zsh|fish|powershell|sh|pwsh>                    Print shell completion script (choices: bash, zsh, fish, powershell, sh, pwsh)
  --log-level <all|trace|debug|info|warn|warning|error|fatal|none>    Sets the minimum log level (choices: all, trace, debug, info, warn, warning, error, fatal, none)
  --quiet                                                             No progress and no table; errors are still said
  --json                                                              Say everything on standard error as JSON, an object a line

EXAMPLES
  infermesh transcribe --model groq/whisper-large-v3 talk.mp3

  # Many files, each with subtitles
  infermesh transcribe --model openai/whisper-1 --output-jsonl talks.jsonl --subtitles srt --subtitles-dir subtitles talks/*.mp3`,
  plan: `DESCRIPTION
  Say what a job would cost, what would hold it up and when it would be finished; nothing is sent

USAGE
  infermesh plan [flags] <input>

ARGUMENTS
  input string    The rows, as generate --input-jsonl takes them

FLAGS
  --model PROVIDER/MODEL             The model: openai/gpt-4.1-mini, hosted_vllm/llama-3
  --api-base URL                     Base URL of a server; repeated, the replicas are labelled replica-1, replica-2, …
  --deployments-toml FILE            Deployments by label, with model, api_base, api_key_env, weight, limits; TOML, or JSON or YAML by the file's ending
  --fallback PROVIDER/MODEL          Model to ask when the one before it fails; repeatable. One of the same provider is asked at the same --api-base
  --routing-strategy choice          How a deployment is chosen among several; default simple-shuffle (choices: simple-shuffle, least-busy, latency-based-routing, usage-based-routing, usage-based-routing-v2, cost-based-routing, round-robin, ordered, sticky)
  --env-file FILE                    File of KEY=value lines; the environment itself wins
  --max-parallel-requests integer    Requests in flight at once; default 128
  --rpm integer                      Requests per minute
  --tpm integer                      Tokens per minute
  --rpd integer                      Requests per day
  --tpd integer                      Tokens per day
  --max-request-burst integer        Most requests at one instant; the rest of --rpm is spread evenly
  --max-token-burst integer          Most tokens at one instant; the rest of --tpm is spread evenly
  --budget-usd USD                   Most that this run may spend, in US dollars; rows it is not enough for are asked by the next --resume
  --max-retries integer              Attempts after the first, fallbacks included; default 3
  --timeout TIME                     Longest time for one attempt: seconds, or '30 seconds'; default 10 minutes
  --deadline TIME                    Longest time for one row with its waits and retries; default none
  --max-tokens integer               Most tokens of an answer
  --answer-tokens integer            Tokens that an answer is taken to have; default 256
  --answer-seconds number            Seconds that an answer is taken to take; default 3
  --sample integer                   Most rows that are played through; default 4000

GLOBAL FLAGS
  --help, -h                                                          Show help information
  --version, -v                                                       Show version information
  --wizard                                                            Start wizard mode for a command
  --completions <bash|zsh|fish|powershell|sh|pwsh>                    Print shell completion script (choices: bash, zsh, fish, powershell, sh, pwsh)
  --log-level <all|trace|debug|info|warn|warning|error|fatal|none>    Sets the minimum log level (choices: all, trace, debug, info, warn, warning, error, fatal, none)
  --quiet                                                             No progress and no table; errors are still said
  --json                                                              Say everything on standard error as JSON, an object a line

EXAMPLES
  infermesh plan in.jsonl --model openai/gpt-4.1-mini --rpm 500 --tpm 200000`,
  status: `DESCRIPTION
  Say how a job is: what is settled, failed, spent, and how fast

USAGE
  infermesh status [flags] <output>

ARGUMENTS
  output string    The job's output, as --output-jsonl named it

FLAGS
  --checkpoint-dir FOLDER    Folder for the job's ledger; default $INFERMESH_CHECKPOINT_DIR, else beside the output

GLOBAL FLAGS
  --help, -h                                                          Show help information
  --version, -v                                                       Show version information
  --wizard                                                            Start wizard mode for a command
  --completions <bash|zsh|fish|powershell|sh|pwsh>                    Print shell completion script (choices: bash, zsh, fish, powershell, sh, pwsh)
  --log-level <all|trace|debug|info|warn|warning|error|fatal|none>    Sets the minimum log level (choices: all, trace, debug, info, warn, warning, error, fatal, none)
  --quiet                                                             No progress and no table; errors are still said
  --json                                                              Say everything on standard error as JSON, an object a line

EXAMPLES
  infermesh status out.jsonl

  # The same for a program, on standard output
  infermesh status out.jsonl --json`,
  report: `DESCRIPTION
  Write a job as one page of HTML: throughput, latency, failures, cost

USAGE
  infermesh report [flags] <output>

ARGUMENTS
  output string    The job's output, as --output-jsonl named it

FLAGS
  --html FILE                The page; default the output's name with .html behind it
  --checkpoint-dir FOLDER    Folder for the job's ledger; default $INFERMESH_CHECKPOINT_DIR, else beside the output

GLOBAL FLAGS
  --help, -h                                                          Show help information
  --version, -v                                                       Show version information
  --wizard                                                            Start wizard mode for a command
  --completions <bash|zsh|fish|powershell|sh|pwsh>                    Print shell completion script (choices: bash, zsh, fish, powershell, sh, pwsh)
  --log-level <all|trace|debug|info|warn|warning|error|fatal|none>    Sets the minimum log level (choices: all, trace, debug, info, warn, warning, error, fatal, none)
  --quiet                                                             No progress and no table; errors are still said
  --json                                                              Say everything on standard error as JSON, an object a line

EXAMPLES
  infermesh report out.jsonl --html job.html`,
  models: `DESCRIPTION
  List models whose price is known, in USD per million tokens

USAGE
  infermesh models [flags] [<text>]

ARGUMENTS
  text string    Only models whose name has this in it, such as gpt-4.1 or anthropic/ (optional)

GLOBAL FLAGS
  --help, -h                                                          Show help information
  --version, -v                                                       Show version information
  --wizard                                                            Start wizard mode for a command
  --completions <bash|zsh|fish|powershell|sh|pwsh>                    Print shell completion script (choices: bash, zsh, fish, powershell, sh, pwsh)
  --log-level <all|trace|debug|info|warn|warning|error|fatal|none>    Sets the minimum log level (choices: all, trace, debug, info, warn, warning, error, fatal, none)
  --quiet                                                             No progress and no table; errors are still said
  --json                                                              Say everything on standard error as JSON, an object a line

EXAMPLES
  infermesh models gpt-4.1

  # For a program
  infermesh models anthropic/ --json`,
  bench: `DESCRIPTION
  Measure how fast a model answers, and find the setting to take

USAGE
  infermesh bench <subcommand> [flags]

GLOBAL FLAGS
  --help, -h                                                          Show help information
  --version, -v                                                       Show version information
  --wizard                                                            Start wizard mode for a command
  --completions <bash|zsh|fish|powershell|sh|pwsh>                    Print shell completion script (choices: bash, zsh, fish, powershell, sh, pwsh)
  --log-level <all|trace|debug|info|warn|warning|error|fatal|none>    Sets the minimum log level (choices: all, trace, debug, info, warn, warning, error, fatal, none)
  --quiet                                                             No progress and no table; errors are still said
  --json                                                              Say everything on standard error as JSON, an object a line

SUBCOMMANDS
  generate    Ask a model at several concurrencies
  embed       Embed texts with several texts a request
EXAMPLES
  infermesh bench generate --model openai/gpt-4.1-mini --concurrency 1,4,16,64`,
  "bench generate": `DESCRIPTION
  Ask a model at several concurrencies

USAGE
  infermesh bench generate [flags]

FLAGS
  --model PROVIDER/MODEL         The model: openai/gpt-4.1-mini, hosted_vllm/llama-3
  --api-base URL                 Base URL of a server; repeated, the replicas are labelled replica-1, replica-2, …
  --deployments-toml FILE        Deployments by label, with model, api_base, api_key_env, weight, limits; TOML, or JSON or YAML by the file's ending
  --fallback PROVIDER/MODEL      Model to ask when the one before it fails; repeatable. One of the same provider is asked at the same --api-base
  --routing-strategy choice      How a deployment is chosen among several; default simple-shuffle (choices: simple-shuffle, least-busy, latency-based-routing, usage-based-routing, usage-based-routing-v2, cost-based-routing, round-robin, ordered, sticky)
  --env-file FILE                File of KEY=value lines; the environment itself wins
  --rpm integer                  Requests per minute
  --tpm integer                  Tokens per minute
  --rpd integer                  Requests per day
  --tpd integer                  Tokens per day
  --max-request-burst integer    Most requests at one instant; the rest of --rpm is spread evenly
  --max-token-burst integer      Most tokens at one instant; the rest of --tpm is spread evenly
  --budget-usd USD               Most that this run may spend, in US dollars; rows it is not enough for are asked by the next --resume
  --max-retries integer          Attempts after the first, fallbacks included; default 3
  --timeout TIME                 Longest time for one attempt: seconds, or '30 seconds'; default 10 minutes
  --deadline TIME                Longest time for one row with its waits and retries; default none
  --extra-body JSON              JSON object of further fields for the request body
  --requests integer             Requests of each setting; default 100
  --duration TIME                Longest time of each setting, in which --requests is no limit: seconds, or '30 seconds'
  --warm-up integer              Requests before each setting that are not counted; default 10
  --rate PER_SECOND              Requests that come on time, so many a second, whatever became of those before; latency counts from when they are due
  --output-json FILE             All figures as JSON
  --output-html FILE             A page with the curves
  --prompt TEXT                  What is asked; default a question of a few words
  --max-tokens integer           Most tokens of an answer
  --concurrency N,N,…            Requests at once, one setting after the other; default 1,2,4,8,16,32

GLOBAL FLAGS
  --help, -h                                                          Show help information
  --version, -v                                                       Show version information
  --wizard                                                            Start wizard mode for a command
  --completions <bash|zsh|fish|powershell|sh|pwsh>                    Print shell completion script (choices: bash, zsh, fish, powershell, sh, pwsh)
  --log-level <all|trace|debug|info|warn|warning|error|fatal|none>    Sets the minimum log level (choices: all, trace, debug, info, warn, warning, error, fatal, none)
  --quiet                                                             No progress and no table; errors are still said
  --json                                                              Say everything on standard error as JSON, an object a line

EXAMPLES
  infermesh bench generate --model hosted_vllm/llama-3 --api-base http://gpu0:8000/v1 --concurrency 8,16,32,64 --output-html curve.html`,
  "bench embed": `DESCRIPTION
  Embed texts with several texts a request

USAGE
  infermesh bench embed [flags]

FLAGS
  --model PROVIDER/MODEL         The model: openai/gpt-4.1-mini, hosted_vllm/llama-3
  --api-base URL                 Base URL of a server; repeated, the replicas are labelled replica-1, replica-2, …
  --deployments-toml FILE        Deployments by label, with model, api_base, api_key_env, weight, limits; TOML, or JSON or YAML by the file's ending
  --fallback PROVIDER/MODEL      Model to ask when the one before it fails; repeatable. One of the same provider is asked at the same --api-base
  --routing-strategy choice      How a deployment is chosen among several; default simple-shuffle (choices: simple-shuffle, least-busy, latency-based-routing, usage-based-routing, usage-based-routing-v2, cost-based-routing, round-robin, ordered, sticky)
  --env-file FILE                File of KEY=value lines; the environment itself wins
  --rpm integer                  Requests per minute
  --tpm integer                  Tokens per minute
  --rpd integer                  Requests per day
  --tpd integer                  Tokens per day
  --max-request-burst integer    Most requests at one instant; the rest of --rpm is spread evenly
  --max-token-burst integer      Most tokens at one instant; the rest of --tpm is spread evenly
  --budget-usd USD               Most that this run may spend, in US dollars; rows it is not enough for are asked by the next --resume
  --max-retries integer          Attempts after the first, fallbacks included; default 3
  --timeout TIME                 Longest time for one attempt: seconds, or '30 seconds'; default 10 minutes
  --deadline TIME                Longest time for one row with its waits and retries; default none
  --extra-body JSON              JSON object of further fields for the request body
  --requests integer             Requests of each setting; default 100
  --duration TIME                Longest time of each setting, in which --requests is no limit: seconds, or '30 seconds'
  --warm-up integer              Requests before each setting that are not counted; default 10
  --rate PER_SECOND              Requests that come on time, so many a second, whatever became of those before; latency counts from when they are due
  --output-json FILE             All figures as JSON
  --output-html FILE             A page with the curves
  --text TEXT                    What is embedded; default a sentence
  --micro-batch-size N,N,…       Texts of one request, one setting after the other; default 1,8,32,128
  --concurrency integer          Requests at once; default 8

GLOBAL FLAGS
  --help, -h                                                          Show help information
  --version, -v                                                       Show version information
  --wizard                                                            Start wizard mode for a command
  --completions <bash|zsh|fish|powershell|sh|pwsh>                    Print shell completion script (choices: bash, zsh, fish, powershell, sh, pwsh)
  --log-level <all|trace|debug|info|warn|warning|error|fatal|none>    Sets the minimum log level (choices: all, trace, debug, info, warn, warning, error, fatal, none)
  --quiet                                                             No progress and no table; errors are still said
  --json                                                              Say everything on standard error as JSON, an object a line

EXAMPLES
  infermesh bench embed --model openai/text-embedding-3-small --micro-batch-size 8,64,256`,
  simulate: `DESCRIPTION
  Start simulated providers and print their base URLs

USAGE
  infermesh simulate [flags]

FLAGS
  --port integer         Port of the first replica; default 0, any free ones
  --host string          Address to listen on; default 127.0.0.1
  --replicas integer     How many servers; default 1
  --rpm integer          Requests per minute that each allows
  --tpm integer          Tokens per minute that each allows
  --faults number        Share of requests that fail, from 0 to 1, spread over 429, 500, 503, resets and cut bodies
  --latency-ms number    Median time to an answer, in milliseconds; default 0
  --seed integer         Answers, latencies and faults are the same for the same seed

GLOBAL FLAGS
  --help, -h                                                          Show help information
  --version, -v                                                       Show version information
  --wizard                                                            Start wizard mode for a command
  --completions <bash|zsh|fish|powershell|sh|pwsh>                    Print shell completion script (choices: bash, zsh, fish, powershell, sh, pwsh)
  --log-level <all|trace|debug|info|warn|warning|error|fatal|none>    Sets the minimum log level (choices: all, trace, debug, info, warn, warning, error, fatal, none)
  --quiet                                                             No progress and no table; errors are still said
  --json                                                              Say everything on standard error as JSON, an object a line

EXAMPLES
  # Two servers that allow 600 requests a minute each and fail now and then
  infermesh simulate --replicas 2 --rpm 600 --latency-ms 500 --faults 0.05`
}

; The state of each object, drawn as it changes. A: may still become either. B: main has written it.
; C: shareable. F: frozen by its program. "blocks": what keeps the graph from being shared.

(define (show title)
  (say title)
  (draw CONFIG)
  (say ""))

(defconst CONFIG {:name "demo" :limits [10 [20 30]] :log [(freeze "frozen by its program")]})
(show "Assigned, and no other ractor exists yet:")

(take (ractor nil))
(show "The first ractor was made:")

(vector-push! (hash-ref CONFIG :log) "a line")
(show "Main wrote to the log:")

(define verdict (try (take (ractor CONFIG)) (catch (condition) (condition-message condition))))
(show (string "Another ractor tried to read it: " verdict))

(defconst CONFIG CONFIG)
(show "Assigned again:")

(take (ractor (hash-ref CONFIG :name)))
(show "Another ractor read it:")

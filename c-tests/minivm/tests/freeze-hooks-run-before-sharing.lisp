; An explicit share runs freeze hooks; an access never does, and says what is missing.
(defrecord account name balance summary)
(define hook-calls 0)
(on-freeze 'account
  (lambda (account)
    (set! hook-calls (+ hook-calls 1))
    (set-account-summary! account (string (account-name account) ": " (account-balance account)))))

(define mine (make-account "me" 5 nil))
(defconst ACCOUNTS (list mine))
(let ((condition (assert-error 'isolation-error (take (ractor ACCOUNTS)))))
  (assert-equal 'needs-prepare (condition-cause condition))
  (assert-equal "ACCOUNTS.car" (condition-path condition)))
(assert-equal 0 hook-calls)

(defconst ACCOUNTS (make-shareable ACCOUNTS))
(assert-equal 1 hook-calls)
(assert-equal "me: 5" (take (ractor (account-summary (car ACCOUNTS)))))

; A hook may refuse. Then nothing is shared, and nothing frozen.
(defrecord session open)
(on-freeze 'session
  (lambda (session)
    (if (session-open session) (error "the session is still open"))))
(let* ((session (make-session t)) (holder (vector [1] session)))
  (assert-equal "the session is still open"
                (condition-message (assert-error 'error (make-shareable holder))))
  (assert-equal '(B B B) (map state (list holder (vector-ref holder 0) session)))
  (set-session-open! session nil)
  (make-shareable holder)
  (assert-equal '(C C C) (map state (list holder (vector-ref holder 0) session))))

; Calls in both directions, inside of each other.
(define (add a b) (+ a b))
(define (twice procedure argument) (procedure (procedure argument)))
(define (countdown n peer) (if (eq? n 0) 'done (peer (- n 1) countdown)))
(define child
  (spawn-child
    '(begin
       (assert-equal 3 (parent-call 'add 1 2))
       (define add (remote 'add))
       (assert (procedure? add))
       (assert-equal 7 (add 3 4))
       (assert-equal '(2 4) (apply map (list (lambda (n) (add n n)) '(1 2))))
       ; The parent calls back while the child waits.
       (assert-equal 12 (parent-call 'twice (lambda (n) (+ n 1)) 10))
       (assert-equal 14 (parent-call 'twice (lambda (n) (parent-call 'add n 2)) 10))
       (define (countdown n peer) (if (eq? n 0) 'done (peer (- n 1) countdown)))
       (assert-equal 'done (parent-call 'countdown 20 countdown))
       (define (greet name) (string "hello " name)))))
(for-each export-variable '(add twice countdown))
(assert-equal 0 (wait-child child))

; The parent calls its child, which serves it until there is no more.
(define worker
  (spawn-child
    '(begin
       (define state (hash))
       (define (put key value) (hash-set! state key value) (hash-count state))
       (define (ask-back) (+ 1 (parent-call 'add 1 1)))
       (parent-call 'tell-ready)
       (run-loop))))
(define is-ready nil)
(define (tell-ready) (set! is-ready t) nil)
(for-each export-variable '(add tell-ready))
(while (not is-ready) (serve worker 10))
(assert-equal 1 (child-call worker 'put 1 'one))
(assert-equal 2 (child-call worker 'put 2 'two))
(assert-equal 3 (child-call worker 'ask-back))
(define remote-state (child-remote worker 'state))
(assert-equal 'two (hash-ref remote-state 2))
(close-link worker)
(assert-error 'peer-dead (hash-ref remote-state 2))
(assert-equal 0 (wait-child worker))

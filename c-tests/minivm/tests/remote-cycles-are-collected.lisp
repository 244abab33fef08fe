; Objects of two processes that refer to each other die when no program needs them; others do not.
(define child
  (spawn-child
    '(begin
       ; An object of this process, and one of the parent's, refer to each other.
       (define (tie there) (setcar there (list there)) nil)
       (define (collect) (gc) nil)
       (define (remotes) (cdr (nth 1 (link-counts (parent)))))
       (run-loop))))
(define (pins) (cdr (car (link-counts child))))
(define (make-cycle) (child-call child 'tie (list nil)))
(define live (list nil))
(child-call child 'tie live)
(define count 10)
(dotimes (i count) (make-cycle))

; Collections alone find nothing.
(gc)
(child-call child 'collect)
(child-call child 'remotes)
(gc)
(assert-equal (+ count 1) (pins))

(assert-equal count (collect-cycles))
(assert-equal 1 (pins))
; Here what referred to the child's objects dies, and then they do.
(gc)
(child-call child 'collect)
(assert-equal 1 (child-call child 'remotes))
(assert-equal 1 (cdr (nth 1 (link-counts child))))

; What is needed is as it was, and there is nothing left to find.
(assert (eq? live (car (car live))))
(assert-equal 0 (collect-cycles))
(set! live nil)
(assert-equal 1 (collect-cycles 10000))
(assert-equal 0 (pins))

; A child that does nothing for its parent loses nothing.
(define thing (list nil))
(define is-ready nil)
(define (give) thing)
(define (ready) (set! is-ready t) (set! thing nil) nil)
(for-each export-variable '(give ready))
(define busy
  (spawn-child
    '(begin
       (define (tie)
         (let ((there (parent-call 'give)))
           (setcar there (list there))
           nil))
       (tie)
       (parent-call 'ready)
       (sleep 0.3)
       (run-loop))))
(while (not is-ready) (serve busy 10))
(assert-equal 0 (collect-cycles 50))
(assert-equal 1 (cdr (car (link-counts busy))))
(assert-equal 1 (collect-cycles))
(assert-equal 0 (cdr (car (link-counts busy))))
